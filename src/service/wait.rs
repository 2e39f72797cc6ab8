//! The waits of a decision.

use std::mem;
use std::net::IpAddr;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::attempt_waits::{CountedFailure, Presented, Reserving};
use super::charging::{ChargeReply, ChargeResult};
use super::other_lookup::{Found, OtherLookup};
use super::request_state::Decision;
use crate::caller::ClientNetwork;
use crate::concurrency::{Concurrency, Permit};
use crate::decision::KeyFacts;
use crate::error::{Denial, LimiterError};
use crate::key::{OtherDigest, SharedRecord};
use crate::request::Client;
use crate::store::StoreError;
use crate::sync::Reply;

/// The result of a step: the decision, or a wait.
pub(super) type Next = ControlFlow<Decision, Wait>;

/// A wait of the decision, by what it waits for.
pub(super) enum Wait {
    /// The store's answer.
    Find { lookup: Reply<Result<Option<SharedRecord>, StoreError>>, key: KeyFacts, client: Client },
    /// The store's answer to a lookup by another pepper. Behind a pointer, because few requests have one.
    FindByOther(Box<OtherLookup>),
    /// The limiter counts the attempt before its key is looked up.
    Reserve(Box<Reserving>),
    /// The limiter counts a failed attempt.
    Failure(Box<CountedFailure>),
    /// The limiter says what is left of the quotas, for the headers of a refusal.
    Peek { denial: Denial, charge: ChargeReply },
    /// The limiter says whether the quotas have room, before the request acquires a permit. The limiter
    /// charges nothing yet, so a request that gets no permit costs nothing.
    Room { rule: Concurrency, charge: ChargeReply },
    /// A permit of the route.
    Permit { permit: Reply<Result<Option<Permit>, LimiterError>> },
    /// The limiter charges the cost of the request.
    Cost { charge: ChargeReply },
    /// Already answered.
    Done,
}

/// The result of a wait.
pub(super) enum Arrival {
    Found { answer: Result<Option<SharedRecord>, StoreError>, key: KeyFacts, client: Client },
    FoundByOther { answer: Found, asked: OtherDigest, key: KeyFacts, client: Client },
    Reserved { answer: ChargeResult, network: ClientNetwork, presented: Presented },
    Failure { answer: ChargeResult, address: IpAddr, denial: Denial },
    Peek { denial: Denial, answer: ChargeResult },
    Room { rule: Concurrency, answer: ChargeResult },
    Permit(Result<Option<Permit>, LimiterError>),
    Cost(ChargeResult),
}

impl Wait {
    /// Resolves once, and stays pending after that.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Arrival> {
        let arrival = match self {
            Self::Find { lookup, key, client } => Pin::new(lookup)
                .poll(context)
                .map(|answer| Arrival::Found { answer, key: *key, client: *client }),
            Self::FindByOther(other) => {
                let OtherLookup { asked, key, client, .. } = **other;
                Pin::new(&mut other.lookup).poll(context).map(|answer| Arrival::FoundByOther {
                    answer,
                    asked,
                    key,
                    client,
                })
            }
            Self::Reserve(reserving) => {
                let (network, presented) = (reserving.network, reserving.presented);
                Pin::new(&mut reserving.charge).poll(context).map(|answer| Arrival::Reserved {
                    answer,
                    network,
                    presented,
                })
            }
            Self::Failure(failure) => {
                let (address, denial) = (failure.address, failure.denial.clone());
                Pin::new(&mut failure.charge).poll(context).map(|answer| Arrival::Failure {
                    answer,
                    address,
                    denial,
                })
            }
            Self::Peek { denial, charge } => Pin::new(charge)
                .poll(context)
                .map(|answer| Arrival::Peek { denial: denial.clone(), answer }),
            Self::Room { rule, charge } => {
                Pin::new(charge).poll(context).map(|answer| Arrival::Room { rule: *rule, answer })
            }
            Self::Permit { permit } => Pin::new(permit).poll(context).map(Arrival::Permit),
            Self::Cost { charge } => Pin::new(charge).poll(context).map(Arrival::Cost),
            Self::Done => Poll::Pending,
        };
        if arrival.is_ready() {
            drop(mem::replace(self, Self::Done));
        }
        arrival
    }
}
