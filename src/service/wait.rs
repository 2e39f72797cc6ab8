//! What a decision waits for.

use std::mem;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::charging::{ChargeReply, ChargeResult};
use super::request_state::Decision;
use crate::concurrency::{Concurrency, Permit};
use crate::decision::KeyFacts;
use crate::error::{Denial, LimiterError};
use crate::key::SharedRecord;
use crate::request::Client;
use crate::store::StoreError;
use crate::sync::Reply;

/// What follows a step of the decision: its end, or something to wait for.
pub(super) type Next = ControlFlow<Decision, Wait>;

/// What a decision waits for.
pub(super) enum Wait {
    /// The store's answer.
    Find { lookup: Reply<Result<Option<SharedRecord>, StoreError>>, key: KeyFacts, client: Client },
    /// What is left of the quotas, for the headers of a refusal.
    Peek { denial: Denial, charge: ChargeReply },
    /// Whether there is room, before the request takes a place or queues for one; nothing is taken
    /// yet, so a request that finds no place has cost nothing.
    Room { rule: Concurrency, charge: ChargeReply },
    /// A place on the route.
    Permit { permit: Reply<Result<Option<Permit>, LimiterError>> },
    /// The cost of the request.
    Cost { charge: ChargeReply },
    /// Already answered.
    Done,
}

/// What came of a wait.
pub(super) enum Arrival {
    Found { answer: Result<Option<SharedRecord>, StoreError>, key: KeyFacts, client: Client },
    Peek { denial: Denial, answer: ChargeResult },
    Room { rule: Concurrency, answer: ChargeResult },
    Permit(Result<Option<Permit>, LimiterError>),
    Cost(ChargeResult),
}

impl Wait {
    /// Resolves once, and stays pending for ever after.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Arrival> {
        let arrival = match self {
            Self::Find { lookup, key, client } => Pin::new(lookup)
                .poll(context)
                .map(|answer| Arrival::Found { answer, key: *key, client: *client }),
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
