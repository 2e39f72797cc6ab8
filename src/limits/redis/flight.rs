//! One call for all requests that find nothing left to spend at the same time.

use std::mem;
use std::sync::Arc;

use super::super::limiter::Taking;
use super::answer::Answer;
use super::failure::Failure;
use super::holding::{Departure, SHORTEST};
use super::holdings::{Entry, Holdings, Slot, Waiting};
use super::lease::Lease;
use super::limiter::Inner;
use super::question::{Question, Terms};

/// What is asked for all that wait.
struct Request {
    /// The cost of the first of them, which is refused or paid: so each call answers one at least.
    cost: u32,
    demand: u32,
    /// How many of those that wait it is asked for: the first ones.
    count: usize,
    departure: Departure,
}

/// A call that is under way. However it ends, those that wait for it are told, if only that it did.
pub(super) struct Flight {
    holdings: Arc<Holdings>,
    slot: Slot,
    is_over: bool,
}

impl Flight {
    pub(super) const fn new(holdings: Arc<Holdings>, slot: Slot) -> Self {
        Self { holdings, slot, is_over: false }
    }

    /// Asks until all that wait are answered. To be run as a task of its own, for whoever began it may
    /// go.
    pub(super) async fn run(mut self, limiter: Arc<Inner>) {
        let lease = self.holdings.lease;
        let (holdings, slot) = (&self.holdings, &self.slot);
        while let Some(request) = holdings.with(slot, |entry| depart(entry, &lease)).flatten() {
            let Departure { at, want, back } = &request.departure;
            let question = Question {
                cost: request.cost,
                taking: Taking::IfRoom,
                now: limiter.now(*at),
                terms: Terms::Lease { demand: request.demand, want: *want, shortest: SHORTEST },
                back: back.as_ref(),
            };
            let mut answer = limiter.ask(&slot.counted, &question).await;
            if matches!(answer, Err(Failure::Connection(_))) && question.back.is_some() {
                // It may have been given back, so that is not said again.
                let question = Question { back: None, ..question };
                answer = limiter.ask(&slot.counted, &question).await;
            }
            holdings.with(slot, |entry| land(entry, &lease, &request, answer));
        }
        self.is_over = true;
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if !self.is_over {
            self.holdings.with(&self.slot, |entry| entry.waiting = None);
        }
    }
}

/// Sums up what those want that wait; if none does, the flight is over.
fn depart(entry: &mut Entry, lease: &Lease) -> Option<Request> {
    let waiting = entry.waiting.as_mut()?;
    waiting.retain(|waiting| !waiting.reply.is_closed());
    let Some(first) = waiting.first() else {
        entry.waiting = None;
        return None;
    };
    let demand = waiting.iter().fold(0, |sum: u32, waiting| sum.saturating_add(waiting.cost));
    let latest = waiting.iter().fold(first.now, |latest, waiting| latest.max(waiting.now));
    let (cost, count) = (first.cost, waiting.len());
    Some(Request { cost, demand, count, departure: entry.holding.depart(latest, lease) })
}

/// Tells those that wait what came of it, in the order in which they came. Those that cannot be told
/// stay for another call.
fn land(entry: &mut Entry, lease: &Lease, request: &Request, answer: Result<Answer, Failure>) {
    let Entry { holding, waiting, .. } = entry;
    // It stays there until the flight is over, so that no other begins.
    let all = waiting.as_mut().map(mem::take).unwrap_or_default();
    let answer = match answer {
        Ok(answer) => answer,
        Err(failure) => {
            for waiting in all {
                let _ = waiting.reply.send(Err(failure.clone()));
            }
            return;
        }
    };
    holding.land(request.departure.at, request.cost, answer, lease);
    let mut left = Vec::new();
    for (place, Waiting { cost, now, reply }) in all.into_iter().enumerate() {
        // Who came since is as anybody who comes now: what has ended meanwhile is not for them.
        let told = if place < request.count {
            holding.pay(cost).or_else(|| holding.refuse(cost))
        } else {
            holding.answer_now(cost)
        };
        match told {
            // What was paid for a client that has gone is lost: spent later, it could be one too many of
            // the window that it opened.
            Some(verdict) => drop(reply.send(Ok(verdict))),
            None => left.push(Waiting { cost, now, reply }),
        }
    }
    *waiting = Some(left);
}
