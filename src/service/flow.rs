//! The way of one request through the decision: `begin`, `found`, `take`, `taken`; on a route with
//! a concurrency limit `look_for_room`, `has_room`, `enter` and `placed` come between, and before a
//! refusal that speaks of limits `report` and `stands`. What need not wait goes on at once, so a
//! request whose store and limiter are in memory is decided before the gate has returned its future.

use std::ops::ControlFlow;
use std::task::{Context, Poll};

use http::Request;

use super::charging::{Ask, note_cost, note_room, note_standing};
use super::connection::connection;
use super::layer::Shared;
use super::passage::Passage;
use super::wait::{Answer, Reached, Wait};
use crate::attempts::{Alarms, Attempt};
use crate::clock::Timestamp;
use crate::concurrency::{Concurrency, Entered, Entry, Places};
use crate::decision::{Admission, Case, KeyFacts, Objection, Policy, judge};
use crate::error::Denial;
use crate::limits::LimiterFallback;
use crate::quota::OnLimiterFailure;
use crate::request::{Client, Head};
use crate::store::Found;

/// Whether a request may pass.
pub(super) type Decision = Result<(), Denial>;

/// What follows a step: the decision, or something to wait for.
pub(super) type Next = ControlFlow<Decision, Wait>;

/// Reads the request and asks the store, if there is a key to ask for.
pub(super) fn begin<B: 'static>(
    shared: &Shared,
    passage: &mut Passage,
    request: &Request<B>,
) -> Next {
    let policy = &shared.policy;
    let head = Head::of(request);
    let client = policy.client(connection(request), head.headers);
    match policy.admit(head, client) {
        Ok(Admission::Key(digest, key)) => {
            if let Some(attempts) = &shared.attempts {
                match attempts.reserve(client.address, shared.clock.now()) {
                    Ok(reserved) => passage.attempt = reserved,
                    Err(retry_after) => {
                        return refused(shared, passage, Denial::TooManyFailures { retry_after });
                    }
                }
            }
            match shared.store.find(&digest).into_now() {
                Ok(answer) => found(shared, passage, answer, key, client, head),
                Err(lookup) => ControlFlow::Continue(Wait::Find { lookup, key, client }),
            }
        }
        Ok(Admission::Preflight) => match &shared.preflight {
            Some(prepared) => {
                let mut answer = prepared.answer(head.headers);
                shared.renderer.guard_caches(answer.headers_mut(), None);
                passage.answer = Some(Box::new(answer));
                ControlFlow::Break(Ok(()))
            }
            // HTTP/2 need not announce a body, but one that comes shows in its type.
            None if shared.bodies.iter().any(|has_content| has_content(request.body())) => {
                match policy.stranger(head) {
                    Ok(route) => let_pass(passage, route),
                    Err(denial) => refused(shared, passage, denial),
                }
            }
            None => ControlFlow::Break(Ok(())),
        },
        Ok(Admission::Anonymous(route)) => let_pass(passage, route),
        Err(denial) if Policy::is_attempt(&denial) => failed(shared, passage, client, denial),
        Err(denial) => {
            if denial == Denial::InsecureTransport
                && let Some(alarms) = &shared.alarms
            {
                expose(shared, alarms, client, head);
            }
            refused(shared, passage, denial)
        }
    }
}

/// Lets a request without a key pass.
fn let_pass(passage: &mut Passage, route: Option<usize>) -> Next {
    passage.route = route;
    ControlFlow::Break(Ok(()))
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
            Poll::Ready(Reached::Found { answer, key, client }) => {
                found(shared, passage, answer, key, client, head)
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
    key: KeyFacts,
    client: Client,
    head: Head<'_>,
) -> Next {
    let record = match answer {
        Ok(Some(record)) if shared.policy.is_for_us(&record) => record,
        // Another gate's key is as unknown here as nobody's.
        Ok(_) => return failed(shared, passage, client, Denial::KeyUnknown),
        Err(error) => {
            give_back(shared, passage, shared.clock.now());
            shared.observer.store_failed(&error);
            return refused(shared, passage, Denial::StoreUnavailable);
        }
    };
    let policy = &shared.policy;
    passage.now = shared.clock.now();
    passage.source = Some(key.source);
    let mut case = Case::new(policy, head, client, key, &record, passage.now);
    let judged = judge(&mut case);
    passage.route = case.route();
    if !matches!(judged, Err(Objection::ToKey(_))) {
        give_back(shared, passage, passage.now);
    }
    match judged {
        Ok(cleared) => {
            passage.cleared = Some(cleared);
            passage.plan = policy.plan(&record);
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
            if denial == Denial::NetworkNotAllowed
                && let Some(alarms) = &shared.alarms
                && alarms.used_elsewhere(record.id(), passage.now)
            {
                shared.observer.key_used_elsewhere(&record, client.address);
            }
            passage.plan = policy.plan(&record);
            passage.principal = Some(record);
            match count_refusal(shared, passage) {
                Ok(()) => report(shared, passage, denial),
                Err(limited) => refused(shared, passage, limited),
            }
        }
    }
}

/// Counts a request that the rules refuse, if its key is known.
///
/// # Errors
///
/// [`Denial::RateLimited`] if too many of the key were refused.
pub(super) fn count_refusal(shared: &Shared, passage: &Passage) -> Decision {
    let (Some(refusals), Some(record)) = (&shared.refusals, passage.record()) else {
        return Ok(());
    };
    let counted = refusals.count(record.id(), passage.now);
    counted.map_err(|retry_after| Denial::RateLimited { retry_after })
}

/// Tells the operator of a key that came over plain HTTP. A network is heard of a few times, and only with
/// keys that fit a format, for anybody can make some up; the digest is computed for no other.
#[cold]
fn expose(shared: &Shared, alarms: &Alarms, client: Client, head: Head<'_>) {
    let now = shared.clock.now();
    if alarms.may_tell_of_exposure(client.address, now)
        && let Some(digest) = shared.policy.exposed_key(head.headers)
        && alarms.exposure(client.address, now)
    {
        shared.observer.key_exposed(&digest);
    }
}

/// Refuses a stranger, and counts the attempt of its network.
fn failed(shared: &Shared, passage: &mut Passage, client: Client, mut denial: Denial) -> Next {
    if let (Some(attempts), Some(address)) = (&shared.attempts, client.address) {
        match attempts.fail(address, passage.attempt.take(), shared.clock.now()) {
            Attempt::Counted => {}
            Attempt::Last(retry_after) => shared.observer.network_refused(address, retry_after),
            Attempt::Over(retry_after) => denial = Denial::TooManyFailures { retry_after },
        }
    }
    refused(shared, passage, denial)
}

/// Gives back the attempt that was reserved for a request: it has not failed.
pub(super) fn give_back(shared: &Shared, passage: &mut Passage, now: Timestamp) {
    if let (Some(attempts), Some(reserved)) = (&shared.attempts, passage.attempt.take()) {
        attempts.give_back(reserved, now);
    }
}

/// Takes the cost of a request.
fn take(shared: &Shared, passage: &mut Passage) -> Next {
    match Ask::cost(passage).send(shared, passage) {
        Ok(answer) => taken(shared, passage, answer),
        Err(charge) => ControlFlow::Continue(Wait::Cost { charge }),
    }
}

fn taken(shared: &Shared, passage: &mut Passage, answer: Answer) -> Next {
    match note_cost(shared, passage, answer) {
        Ok(()) => ControlFlow::Break(Ok(())),
        Err(denial) => refused(shared, passage, denial),
    }
}

/// Sees whether the quotas have room for a request that needs a place as well.
fn look_for_room(shared: &Shared, passage: &mut Passage, rule: Concurrency) -> Next {
    match Ask::room(passage).send(shared, passage) {
        Ok(answer) => has_room(shared, passage, rule, answer),
        Err(charge) => ControlFlow::Continue(Wait::Room { rule, charge }),
    }
}

fn has_room(shared: &Shared, passage: &mut Passage, rule: Concurrency, answer: Answer) -> Next {
    match note_room(shared, passage, answer) {
        Ok(()) => enter(shared, passage, &*shared.places, rule),
        Err(denial) => refused(shared, passage, denial),
    }
}

/// Sees how the account stands that a refusal speaks to.
fn report(shared: &Shared, passage: &mut Passage, denial: Denial) -> Next {
    if !shared.renderer.speaks_of_limits() {
        return refused(shared, passage, denial);
    }
    match Ask::standing(passage).send(shared, passage) {
        Ok(answer) => stands(shared, passage, denial, answer),
        Err(charge) => ControlFlow::Continue(Wait::Standing { denial, charge }),
    }
}

fn stands(shared: &Shared, passage: &mut Passage, denial: Denial, answer: Answer) -> Next {
    note_standing(shared, passage, answer);
    refused(shared, passage, denial)
}

/// Takes a place on the route, or queues for one.
fn enter(shared: &Shared, passage: &mut Passage, places: &dyn Places, rule: Concurrency) -> Next {
    let Some(record) = passage.record() else {
        return placed(shared, passage, Ok(None));
    };
    let (account, route) = (record.account().id(), shared.policy.route_name(passage.route));
    match places.enter(Entry { account, route, rule }).into_now() {
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
            let rule = shared.policy.route(passage.route).and_then(|route| route.concurrency);
            match (shared.on_places_failure, rule) {
                (OnLimiterFailure::Allow, _) => {
                    shared.observer.places_failed(&error, LimiterFallback::Allowed);
                }
                (OnLimiterFailure::Local(share), Some(rule)) => {
                    shared.observer.places_failed(&error, LimiterFallback::Local);
                    // Places in memory always answer.
                    return enter(shared, passage, &shared.local_places, rule.shared(share));
                }
                (OnLimiterFailure::Deny | OnLimiterFailure::Local(_), _) => {
                    shared.observer.places_failed(&error, LimiterFallback::Denied);
                    return refused(shared, passage, Denial::LimiterUnavailable);
                }
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
