//! The way of one request through the decision: `begin`, `found`, `take`, `charged`; on a route with
//! a concurrency limit `look_for_room`, `has_room`, `enter` and `placed` come between, and before a
//! refusal that speaks of limits `report` and `stands`. What need not wait goes on at once, so a
//! request whose store and limiter are in memory is decided before the gate has returned its future.

use std::future::Future;
use std::mem;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Request;

use super::connection::connection;
use super::layer::{Limits, Shared};
use super::outcome::{Admitted, Outcome, Passage, Refusal};
use crate::clock::Timestamp;
use crate::decision::{Admission, Cleared, Objection, judge};
use crate::denial::Denial;
use crate::eventually::Eventually;
use crate::key::KeyRecord;
use crate::limits::{Charge, Concurrency, LimiterError, OnLimiterFailure, Permit, Place, Verdict};
use crate::request::{Client, CredentialSource, Head};
use crate::store::Found;

/// What follows a step: the outcome, or something to wait for. It is handed on and never kept, for
/// it is large, and to move it costs more than most steps.
pub(super) type Next = ControlFlow<Outcome, Wait>;

/// What a decision waits for.
pub(super) enum Wait {
    /// The store's answer.
    Find { lookup: Eventually<Found>, source: &'static CredentialSource, client: Client },
    /// How the account stands, to be said on a refusal.
    Standing { denial: Denial, passage: Passage, charge: Charged },
    /// Whether there is room, before the request takes a place or queues for one; nothing is taken
    /// yet, so a request that finds no place has cost nothing.
    Room { applicant: Applicant, rule: Concurrency, charge: Charged },
    /// A place on the route.
    Queue { applicant: Applicant, place: Pin<Box<dyn Future<Output = Option<Permit>> + Send>> },
    /// The cost of the request.
    Cost { applicant: Applicant, charge: Charged },
    /// Nothing: the outcome was taken.
    Nothing,
}

type Charged = Eventually<Answer>;
type Answer = Result<Verdict, LimiterError>;

/// A request that the rules have cleared, on its way to a grant.
pub(super) struct Applicant {
    cleared: Cleared,
    source: &'static CredentialSource,
    permit: Option<Permit>,
    /// How the account stood when it was asked whether there is room.
    room: Option<Box<Verdict>>,
    now: Timestamp,
}

/// Reads the request and asks the store, if there is a key to ask for.
pub(super) fn begin<B>(shared: &Shared, request: &Request<B>) -> Next {
    let policy = &shared.policy;
    let head = Head::of(request);
    let client = policy.client(connection(request), head.headers);
    match policy.admit(head, client) {
        Ok(Admission::Key(digest, source)) => match shared.store.find(&digest).into_now() {
            Ok(answer) => found(shared, answer, source, client, head),
            Err(lookup) => ControlFlow::Continue(Wait::Find { lookup, source, client }),
        },
        Ok(Admission::Anonymous(budget)) => {
            ControlFlow::Break(Outcome::Admitted(Admitted { budget, ..Admitted::default() }))
        }
        Err(denial) => {
            // Nobody else needs the digest of a key that is refused unseen.
            if denial == Denial::InsecureTransport
                && shared.observed
                && let Some(digest) = policy.exposed_key(head.headers)
            {
                shared.observer.key_exposed(&digest);
            }
            refused(shared, denial, None)
        }
    }
}

/// Goes on with a decision that had to wait. Pending for ever once the outcome was taken.
pub(super) fn resume(
    shared: &Shared,
    wait: &mut Wait,
    context: &mut Context<'_>,
    head: Head<'_>,
) -> Poll<Outcome> {
    loop {
        let next = match mem::replace(wait, Wait::Nothing) {
            Wait::Find { mut lookup, source, client } => {
                match Pin::new(&mut lookup).poll(context) {
                    Poll::Ready(answer) => found(shared, answer, source, client, head),
                    Poll::Pending => return pending(wait, Wait::Find { lookup, source, client }),
                }
            }
            Wait::Standing { denial, passage, mut charge } => {
                match Pin::new(&mut charge).poll(context) {
                    Poll::Ready(answer) => stands(shared, denial, passage, answer),
                    Poll::Pending => {
                        return pending(wait, Wait::Standing { denial, passage, charge });
                    }
                }
            }
            Wait::Room { applicant, rule, mut charge } => {
                match Pin::new(&mut charge).poll(context) {
                    Poll::Ready(answer) => has_room(shared, applicant, rule, answer),
                    Poll::Pending => return pending(wait, Wait::Room { applicant, rule, charge }),
                }
            }
            Wait::Cost { applicant, mut charge } => match Pin::new(&mut charge).poll(context) {
                Poll::Ready(answer) => charged(shared, applicant, answer),
                Poll::Pending => return pending(wait, Wait::Cost { applicant, charge }),
            },
            Wait::Queue { applicant, mut place } => match place.as_mut().poll(context) {
                Poll::Ready(permit) => placed(shared, applicant, permit),
                Poll::Pending => return pending(wait, Wait::Queue { applicant, place }),
            },
            Wait::Nothing => return Poll::Pending,
        };
        match next {
            ControlFlow::Continue(further) => *wait = further,
            ControlFlow::Break(outcome) => return Poll::Ready(outcome),
        }
    }
}

fn pending(wait: &mut Wait, again: Wait) -> Poll<Outcome> {
    *wait = again;
    Poll::Pending
}

/// Judges the record that the store found.
fn found(
    shared: &Shared,
    answer: Found,
    source: &'static CredentialSource,
    client: Client,
    head: Head<'_>,
) -> Next {
    let record = match answer {
        Ok(Some(record)) => record,
        Ok(None) => return refused(shared, Denial::KeyUnknown, None),
        Err(error) => {
            shared.observer.store_failed(&error);
            return refused(shared, Denial::StoreUnavailable, None);
        }
    };
    let now = shared.clock.now();
    match judge(&shared.policy, head, client, source, record, now) {
        Ok(cleared) => {
            let route = shared.policy.route(cleared.route());
            let rule = route.and_then(|route| route.concurrency);
            let applicant = Applicant { cleared, source, permit: None, room: None, now };
            match rule {
                None => take(shared, applicant),
                Some(rule) => look_for_room(shared, applicant, rule),
            }
        }
        Err(Objection { denial, record: Some(record), route }) => {
            report(shared, denial, Passage { record, route, verdict: None, now })
        }
        Err(Objection { denial, record: None, .. }) => refused(shared, denial, None),
    }
}

/// Takes the cost of a request.
fn take(shared: &Shared, applicant: Applicant) -> Next {
    let (record, route) = (applicant.cleared.record(), applicant.cleared.route());
    match ask(shared, record, route, applicant.now, 1, true) {
        Ok(answer) => charged(shared, applicant, answer),
        Err(charge) => ControlFlow::Continue(Wait::Cost { applicant, charge }),
    }
}

fn charged(shared: &Shared, applicant: Applicant, answer: Answer) -> Next {
    let Some(verdict) = verdict_or_allowed(shared, answer) else {
        return applicant.refused(shared, Denial::LimiterUnavailable);
    };
    let Applicant { cleared, source, permit, now, .. } = applicant;
    let route = cleared.route();
    match cleared.grant(verdict) {
        Ok(grant) => ControlFlow::Break(Outcome::Admitted(Admitted {
            grant: Some(grant),
            route,
            now,
            permit,
            budget: shared.policy.route(route).and_then(|route| route.budget),
            source: Some(source),
        })),
        Err((objection, verdict)) => refused_by(shared, objection, Some(verdict), now),
    }
}

/// Sees whether the quotas have room for a request that needs a place as well.
fn look_for_room(shared: &Shared, applicant: Applicant, rule: Concurrency) -> Next {
    let (record, route) = (applicant.cleared.record(), applicant.cleared.route());
    match ask(shared, record, route, applicant.now, 1, false) {
        Ok(answer) => has_room(shared, applicant, rule, answer),
        Err(charge) => ControlFlow::Continue(Wait::Room { applicant, rule, charge }),
    }
}

fn has_room(shared: &Shared, applicant: Applicant, rule: Concurrency, answer: Answer) -> Next {
    let Some(verdict) = verdict_or_allowed(shared, answer) else {
        return applicant.refused(shared, Denial::LimiterUnavailable);
    };
    let wait = verdict.retry_after();
    let applicant = Applicant { room: Some(Box::new(verdict)), ..applicant };
    match wait {
        Some(retry_after) => applicant.refused(shared, Denial::RateLimited { retry_after }),
        None => enter(shared, applicant, rule),
    }
}

/// Sees how the account stands that a refusal speaks to.
fn report(shared: &Shared, denial: Denial, passage: Passage) -> Next {
    if !shared.renderer.speaks_of_limits() {
        return stands(shared, denial, passage, Ok(Verdict::passed()));
    }
    match ask(shared, &passage.record, passage.route, passage.now, 0, false) {
        Ok(answer) => stands(shared, denial, passage, answer),
        Err(charge) => ControlFlow::Continue(Wait::Standing { denial, passage, charge }),
    }
}

fn stands(shared: &Shared, denial: Denial, passage: Passage, answer: Answer) -> Next {
    // Refused anyway: a limiter that cannot answer takes nothing from it but the headers.
    let verdict = verdict_or_allowed(shared, answer).or_else(|| Some(Verdict::passed()));
    refused(shared, denial, Some(Passage { verdict, ..passage }))
}

/// Asks the limiter, unless there is nothing to count.
fn ask(
    shared: &Shared,
    record: &KeyRecord,
    route: Option<usize>,
    now: Timestamp,
    cost: u32,
    commit: bool,
) -> Result<Answer, Charged> {
    let quotas = shared.policy.quotas(record, route);
    match &shared.limits {
        _ if quotas.is_empty() => Ok(Ok(Verdict::passed())),
        Limits::Off => Ok(Ok(Verdict::passed())),
        Limits::Unset => Ok(Err(LimiterError::new("no limiter is configured"))),
        Limits::Counted(limiter, _) => {
            limiter.charge(Charge { record, quotas, cost, commit, now }).into_now()
        }
    }
}

/// Returns the verdict; without one, what the configuration says of a limiter that fails.
fn verdict_or_allowed(shared: &Shared, answer: Answer) -> Option<Verdict> {
    match answer {
        Ok(verdict) => Some(verdict),
        Err(error) => {
            let allow = matches!(shared.limits, Limits::Counted(_, OnLimiterFailure::Allow));
            shared.observer.limiter_failed(&error, allow);
            allow.then(Verdict::passed)
        }
    }
}

/// Takes a place on the route, or queues for one.
fn enter(shared: &Shared, applicant: Applicant, rule: Concurrency) -> Next {
    let account = applicant.cleared.record().account().id();
    let route = applicant.cleared.route().unwrap_or(0);
    match shared.places.enter(account, route, rule) {
        Place::Free(permit) => placed(shared, applicant, Some(permit)),
        Place::Refused => placed(shared, applicant, None),
        Place::Queued(ticket) => {
            let place = Box::pin(ticket.wait(rule));
            ControlFlow::Continue(Wait::Queue { applicant, place })
        }
    }
}

/// Takes the cost of a request that found its place.
fn placed(shared: &Shared, applicant: Applicant, permit: Option<Permit>) -> Next {
    if permit.is_none() {
        return applicant.refused(shared, Denial::ConcurrencyExceeded);
    }
    // It may have queued for a while.
    take(shared, Applicant { permit, now: shared.clock.now(), ..applicant })
}

fn refused_by(
    shared: &Shared,
    objection: Objection,
    verdict: Option<Verdict>,
    now: Timestamp,
) -> Next {
    let Objection { denial, record, route } = objection;
    let passage = record.map(|record| Passage { record, route, verdict, now });
    refused(shared, denial, passage)
}

fn refused(shared: &Shared, denial: Denial, passage: Option<Passage>) -> Next {
    let record = passage.as_ref().map(|passage| &*passage.record);
    shared.observer.refused(&denial, record);
    ControlFlow::Break(Outcome::Refused(Refusal { denial, passage }))
}

impl Applicant {
    fn refused(self, shared: &Shared, denial: Denial) -> Next {
        let room = self.room.map(|room| *room);
        refused_by(shared, self.cleared.object(denial), room, self.now)
    }
}
