//! The way of one request through the decision: `begin`, `found`, `take`, `taken`; on a route with
//! a concurrency limit `look_for_room`, `has_room`, `enter` and `placed` come between, and before a
//! refusal that speaks of limits `report` and `stands`. What need not wait goes on at once, so a
//! request whose store and limiter are in memory is decided before the gate has returned its future.

use std::future::Future;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Request;

use super::connection::connection;
use super::layer::{Limits, Shared};
use super::passage::Passage;
use super::wait::{Answer, Charged, Reached, Settling, Wait};
use crate::clock::Timestamp;
use crate::decision::{Admission, Case, ExtraCost, Objection, Policy, judge};
use crate::denial::Denial;
use crate::limits::{
    Attempt, Charge, Concurrency, Entered, Entry, LimiterError, OnLimiterFailure, Taking,
    UnknownPlan, Verdict,
};
use crate::request::{Client, CredentialSource, Head};
use crate::store::Found;

/// Whether a request may pass.
pub(super) type Decision = Result<(), Denial>;

/// What follows a step: the decision, or something to wait for.
pub(super) type Next = ControlFlow<Decision, Wait>;

/// Reads the request and asks the store, if there is a key to ask for.
pub(super) fn begin<B>(shared: &Shared, passage: &mut Passage, request: &Request<B>) -> Next {
    let policy = &shared.policy;
    let head = Head::of(request);
    let client = policy.client(connection(request), head.headers);
    match policy.admit(head, client) {
        Ok(Admission::Key(digest, source)) => {
            if let Some(attempts) = &shared.attempts
                && let Some(retry_after) = attempts.refusal(client.address, &shared.clock)
            {
                return refused(shared, passage, Denial::TooManyFailures { retry_after });
            }
            match shared.store.find(&digest).into_now() {
                Ok(answer) => found(shared, passage, answer, source, client, head),
                Err(lookup) => ControlFlow::Continue(Wait::Find { lookup, source, client }),
            }
        }
        Ok(Admission::Anonymous(route)) => {
            passage.route = route;
            ControlFlow::Break(Ok(()))
        }
        Err(denial) if Policy::is_attempt(&denial) => failed(shared, passage, client, denial),
        Err(denial) => {
            // Nobody else needs the digest of a key that is refused unseen.
            if denial == Denial::InsecureTransport
                && shared.observed
                && let Some(digest) = policy.exposed_key(head.headers)
            {
                shared.observer.key_exposed(&digest);
            }
            refused(shared, passage, denial)
        }
    }
}

/// Goes on with a decision that had to wait. Pending for ever once it was taken.
pub(super) fn resume(
    shared: &Shared,
    passage: &mut Passage,
    wait: &mut Wait,
    context: &mut Context<'_>,
    head: Head<'_>,
) -> Poll<Decision> {
    loop {
        let next = match wait.poll(context) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Reached::Found { answer, source, client }) => {
                found(shared, passage, answer, source, client, head)
            }
            Poll::Ready(Reached::Standing { denial, answer }) => {
                stands(shared, passage, denial, answer)
            }
            Poll::Ready(Reached::Room { rule, answer }) => has_room(shared, passage, rule, answer),
            Poll::Ready(Reached::Place(answer)) => placed(shared, passage, answer),
            Poll::Ready(Reached::Charged(answer)) => taken(shared, passage, answer),
        };
        match next {
            ControlFlow::Continue(further) => *wait = further,
            ControlFlow::Break(decision) => return Poll::Ready(decision),
        }
    }
}

/// Judges the record that the store found.
fn found(
    shared: &Shared,
    passage: &mut Passage,
    answer: Found,
    source: &'static CredentialSource,
    client: Client,
    head: Head<'_>,
) -> Next {
    let record = match answer {
        Ok(Some(record)) => record,
        Ok(None) => return failed(shared, passage, client, Denial::KeyUnknown),
        Err(error) => {
            shared.observer.store_failed(&error);
            return refused(shared, passage, Denial::StoreUnavailable);
        }
    };
    let policy = &shared.policy;
    passage.now = shared.clock.now();
    passage.source = Some(source);
    passage.plan = policy.plan(&record);
    let case = Case::new(policy, head, client, source, &record, passage.now);
    passage.route = case.route();
    match judge(&case) {
        Ok(cleared) => {
            passage.cleared = Some(cleared);
            passage.principal = Some(record);
            let route = policy.route(passage.route);
            passage.cost = route.map_or(1, |route| route.cost);
            match route.and_then(|route| route.concurrency) {
                None => take(shared, passage),
                Some(rule) => look_for_room(shared, passage, rule),
            }
        }
        Err(Objection::ToKey(denial)) => failed(shared, passage, client, denial),
        Err(Objection::ToRequest(denial)) => {
            if denial == Denial::NetworkNotAllowed {
                shared.observer.key_used_elsewhere(&record, client.address);
            }
            passage.principal = Some(record);
            report(shared, passage, denial)
        }
    }
}

/// Refuses a stranger, and counts the attempt of its network.
fn failed(shared: &Shared, passage: &mut Passage, client: Client, mut denial: Denial) -> Next {
    if let (Some(attempts), Some(address)) = (&shared.attempts, client.address) {
        match attempts.fail(address, shared.clock.now()) {
            Attempt::Counted => {}
            Attempt::Last(retry_after) => shared.observer.network_refused(address, retry_after),
            Attempt::Over(retry_after) => denial = Denial::TooManyFailures { retry_after },
        }
    }
    refused(shared, passage, denial)
}

/// Takes the cost of a request.
fn take(shared: &Shared, passage: &mut Passage) -> Next {
    let taking = if passage.cost == 0 { Taking::Nothing } else { Taking::IfRoom };
    match ask(shared, passage, passage.cost, taking) {
        Ok(answer) => taken(shared, passage, answer),
        Err(charge) => ControlFlow::Continue(Wait::Cost { charge }),
    }
}

/// Passes a request whose cost was taken, and tells what quotas in shadow would have done.
fn taken(shared: &Shared, passage: &mut Passage, answer: Answer) -> Next {
    let next = charged(shared, passage, answer);
    if shared.observed
        && let Some(record) = passage.record()
    {
        for index in passage.verdict.shadow_refusals() {
            if let Some((quota, _)) = passage.quotas(&shared.policy, record).iter().nth(index) {
                shared.observer.would_refuse(record, quota.name());
            }
        }
    }
    next
}

fn charged(shared: &Shared, passage: &mut Passage, answer: Answer) -> Next {
    if let Err(denial) = note(shared, passage, answer) {
        return refused(shared, passage, denial);
    }
    match passage.verdict.retry_after() {
        Some(retry_after) => refused(shared, passage, Denial::RateLimited { retry_after }),
        None => ControlFlow::Break(Ok(())),
    }
}

/// Sees whether the quotas have room for a request that needs a place as well.
fn look_for_room(shared: &Shared, passage: &mut Passage, rule: Concurrency) -> Next {
    match ask(shared, passage, passage.cost, Taking::Nothing) {
        Ok(answer) => has_room(shared, passage, rule, answer),
        Err(charge) => ControlFlow::Continue(Wait::Room { rule, charge }),
    }
}

fn has_room(shared: &Shared, passage: &mut Passage, rule: Concurrency, answer: Answer) -> Next {
    match charged(shared, passage, answer) {
        ControlFlow::Break(Ok(())) => enter(shared, passage, rule),
        refused => refused,
    }
}

/// Sees how the account stands that a refusal speaks to.
fn report(shared: &Shared, passage: &mut Passage, denial: Denial) -> Next {
    if !shared.renderer.speaks_of_limits() {
        return refused(shared, passage, denial);
    }
    match ask(shared, passage, 0, Taking::Nothing) {
        Ok(answer) => stands(shared, passage, denial, answer),
        Err(charge) => ControlFlow::Continue(Wait::Standing { denial, charge }),
    }
}

fn stands(shared: &Shared, passage: &mut Passage, denial: Denial, answer: Answer) -> Next {
    // Refused anyway: a limiter that cannot answer takes nothing from it but the headers.
    let _ = note(shared, passage, answer);
    refused(shared, passage, denial)
}

/// Asks the limiter, unless there is nothing to count.
fn ask(shared: &Shared, passage: &Passage, cost: u32, taking: Taking) -> Result<Answer, Charged> {
    ask_at(shared, passage, cost, taking, passage.now)
}

fn ask_at(
    shared: &Shared,
    passage: &Passage,
    cost: u32,
    taking: Taking,
    now: Timestamp,
) -> Result<Answer, Charged> {
    let Some(record) = passage.record() else {
        return Ok(Err(LimiterError::new("nobody is there to be counted")));
    };
    let quotas = passage.quotas(&shared.policy, record);
    match &shared.limits {
        Limits::Off => Ok(Ok(Verdict::passed())),
        _ if passage.plan.is_unknown() => Ok(Err(LimiterError::new(UnknownPlan))),
        _ if quotas.is_empty() => Ok(Ok(Verdict::passed())),
        Limits::Unset => Ok(Err(LimiterError::new("no limiter is configured"))),
        Limits::Counted(limiter, _) => {
            limiter.charge(Charge { record, quotas, cost, taking, now }).into_now()
        }
    }
}

/// Notes the limiter's verdict; without one, what the configuration says of a limiter that fails.
fn note(shared: &Shared, passage: &mut Passage, answer: Answer) -> Decision {
    match answer {
        Ok(verdict) => passage.verdict = verdict,
        Err(error) => {
            let allow = matches!(shared.limits, Limits::Counted(_, OnLimiterFailure::Allow));
            shared.observer.limiter_failed(&error, allow);
            if !allow {
                return Err(Denial::LimiterUnavailable);
            }
            passage.verdict = Verdict::passed();
        }
    }
    Ok(())
}

/// Takes what the handler added to the cost, with room or without; returns what has to be waited for.
pub(super) fn settle(shared: &Shared, passage: &mut Passage) -> Option<Settling> {
    let cost = passage.extra.as_ref().map_or(0, ExtraCost::settle);
    if cost == 0 {
        return None;
    }
    let now = shared.clock.now();
    match ask_at(shared, passage, cost, Taking::Always, now) {
        Ok(answer) => {
            settled(shared, passage, answer, now);
            None
        }
        Err(charge) => Some(Settling { charge, now }),
    }
}

/// Waits until it was taken.
pub(super) fn resume_settling(
    shared: &Shared,
    passage: &mut Passage,
    settling: &mut Settling,
    context: &mut Context<'_>,
) -> Poll<()> {
    let answer = ready!(Pin::new(&mut settling.charge).poll(context));
    settled(shared, passage, answer, settling.now);
    Poll::Ready(())
}

fn settled(shared: &Shared, passage: &mut Passage, answer: Answer, now: Timestamp) {
    match answer {
        Ok(verdict) => (passage.verdict, passage.now) = (verdict, now),
        // Served already: the response says how the account stood before.
        Err(error) => shared.observer.limiter_failed(&error, true),
    }
}

/// Takes a place on the route, or queues for one.
fn enter(shared: &Shared, passage: &mut Passage, rule: Concurrency) -> Next {
    let Some(record) = passage.record() else {
        return placed(shared, passage, Ok(None));
    };
    let (account, route) = (record.account().id(), shared.policy.route_name(passage.route));
    match shared.places.enter(Entry { account, route, rule }).into_now() {
        Ok(answer) => placed(shared, passage, answer),
        Err(place) => ControlFlow::Continue(Wait::Place { place }),
    }
}

/// Takes the cost of a request that found its place.
fn placed(shared: &Shared, passage: &mut Passage, answer: Entered) -> Next {
    match answer {
        Ok(None) => return refused(shared, passage, Denial::ConcurrencyExceeded),
        Ok(permit) => passage.permit = permit,
        Err(error) => {
            let allow = shared.on_places_failure == OnLimiterFailure::Allow;
            shared.observer.places_failed(&error, allow);
            if !allow {
                return refused(shared, passage, Denial::LimiterUnavailable);
            }
        }
    }
    // It may have queued for a while.
    passage.now = shared.clock.now();
    take(shared, passage)
}

fn refused(shared: &Shared, passage: &mut Passage, denial: Denial) -> Next {
    passage.permit = None;
    shared.observer.refused(&denial, passage.record());
    ControlFlow::Break(Err(denial))
}
