//! What a decision waits for.

use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::charging::Ask;
use crate::concurrency::{Concurrency, Entered};
use crate::decision::KeyFacts;
use crate::error::Denial;
use crate::limits::LimiterError;
use crate::quota::Verdict;
use crate::request::Client;
use crate::store::Found;
use crate::sync::Eventually;

pub(super) type Charged = Eventually<Answer>;
pub(super) type Answer = Result<Verdict, LimiterError>;

/// What a decision waits for.
pub(super) enum Wait {
    /// The store's answer.
    Find { lookup: Eventually<Found>, key: KeyFacts, client: Client },
    /// How the account stands, to be said on a refusal.
    Standing { denial: Denial, charge: Charged },
    /// Whether there is room, before the request takes a place or queues for one; nothing is taken
    /// yet, so a request that finds no place has cost nothing.
    Room { rule: Concurrency, charge: Charged },
    /// A place on the route.
    Place { place: Eventually<Entered> },
    /// The cost of the request.
    Cost { charge: Charged },
    /// Nothing: it came.
    Nothing,
}

/// What a response waits for: the limiter, to take what the handler added to the cost.
pub(super) struct Settling {
    pub(super) charge: Charged,
    pub(super) ask: Ask,
}

/// What was waited for.
pub(super) enum Reached {
    Found { answer: Found, key: KeyFacts, client: Client },
    Standing { denial: Denial, answer: Answer },
    Room { rule: Concurrency, answer: Answer },
    Place(Entered),
    Charged(Answer),
}

impl Wait {
    /// Resolves once, and stays pending for ever after.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Reached> {
        let reached = match self {
            Self::Find { lookup, key, client } => Pin::new(lookup)
                .poll(context)
                .map(|answer| Reached::Found { answer, key: *key, client: *client }),
            Self::Standing { denial, charge } => Pin::new(charge)
                .poll(context)
                .map(|answer| Reached::Standing { denial: denial.clone(), answer }),
            Self::Room { rule, charge } => {
                Pin::new(charge).poll(context).map(|answer| Reached::Room { rule: *rule, answer })
            }
            Self::Place { place } => Pin::new(place).poll(context).map(Reached::Place),
            Self::Cost { charge } => Pin::new(charge).poll(context).map(Reached::Charged),
            Self::Nothing => Poll::Pending,
        };
        if reached.is_ready() {
            drop(mem::replace(self, Self::Nothing));
        }
        reached
    }
}
