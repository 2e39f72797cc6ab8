//! The steps of a decision: `begin`, `found`, then those of `capacity.rs`. A step that need not wait runs at
//! once. So with a store and a limiter in memory the decision is made before the gate returns its future.

use std::ops::ControlFlow;
use std::task::{Context, Poll};

use http::Request;

use super::attempt_waits::Presented;
use super::deciding::Deciding;
use super::mark_connection::client_of;
use super::request_state::Decision;
use super::wait::{Arrival, Next, Wait};
use crate::decision::{Admission, Case, KeyFacts, Objection, Policy, judge};
use crate::error::Denial;
use crate::key::SharedRecord;
use crate::request::{Client, Head};
use crate::store::StoreError;

impl Deciding<'_> {
    /// Reads the request, and asks the store if the request has a well-formed key.
    pub(super) fn begin<B: 'static>(&mut self, request: &Request<B>, head: Head<'_>) -> Next {
        let shared = self.shared;
        let policy = &shared.policy;
        self.observe(request);
        let client = client_of(policy, request);
        self.observe_client(client);
        match policy.admit(head, &client) {
            Ok(Admission::Key(digest, key)) => {
                if let Some(attempts) = &shared.counted.attempts {
                    match attempts.reserve(client.address, shared.now()) {
                        Ok(reserved) => self.state.attempt = reserved,
                        Err(retry_after) => {
                            return self.refused(Denial::TooManyFailures { retry_after });
                        }
                    }
                    if attempts.shared.is_some() {
                        let presented = Presented { digest, key, client };
                        if let Some(next) = self.reserve_shared(presented, head) {
                            return next;
                        }
                    }
                }
                self.look_up(Presented { digest, key, client }, head)
            }
            Ok(Admission::Preflight) => match &shared.preflight {
                Some(prepared) => {
                    let mut answer = prepared.answer(head.headers);
                    shared.renderer.guard_caches(answer.headers_mut(), None);
                    shared.renderer.add_fixed(answer.headers_mut());
                    self.state.answer = Some(Box::new(answer));
                    self.admit_preflight()
                }
                // HTTP/2 need not announce a body, but the body's type shows one.
                None if self.has_content(request) => match policy.anonymous_route(head) {
                    Ok(route) => self.admit_anonymous(route, client, head),
                    Err(denial) => self.refused(denial),
                },
                None => self.admit_preflight(),
            },
            Ok(Admission::Anonymous(route)) => self.admit_anonymous(route, client, head),
            Err(denial) if Policy::is_attempt(&denial) => {
                self.mask(head);
                self.failed(client, denial)
            }
            Err(denial) => {
                if denial == Denial::InsecureTransport
                    && let Some(alarms) = &shared.counted.alarms
                {
                    self.expose(alarms, client, head);
                }
                self.refused(denial)
            }
        }
    }

    /// Asks the store for a key.
    #[inline]
    pub(super) fn look_up(&mut self, presented: Presented, head: Head<'_>) -> Next {
        let Presented { digest, key, client } = presented;
        match self.shared.options.find(&digest).into_now() {
            Ok(answer) => self.found(answer, key, client, head),
            Err(lookup) => ControlFlow::Continue(Wait::Find { lookup, key, client }),
        }
    }

    /// Returns true for a body of a known type that has not ended.
    fn has_content<B: 'static>(&self, request: &Request<B>) -> bool {
        self.shared.options.bodies.iter().any(|has_content| has_content(request.body()))
    }

    /// Admits a preflight, or lets the gate answer it.
    fn admit_preflight(&mut self) -> Next {
        self.state.preflight = true;
        ControlFlow::Break(Ok(()))
    }

    /// Admits a request without a key, if the quotas of its network have room.
    fn admit_anonymous(&mut self, route: Option<usize>, client: Client, head: Head<'_>) -> Next {
        self.state.route = route;
        let Some((network, cost)) = self.shared.policy.charged_network(route, client, &head) else {
            return ControlFlow::Break(Ok(()));
        };
        (self.state.network, self.state.cost) = (Some(Box::new(network)), cost);
        self.state.settles = self.shared.policy.route(route).is_some_and(|route| route.settles);
        self.state.now = self.shared.now();
        self.take()
    }

    /// Continues a decision that had to wait. Stays pending after it has returned the decision.
    pub(super) fn resume(
        &mut self,
        wait: &mut Wait,
        context: &mut Context<'_>,
        head: Head<'_>,
    ) -> Poll<Decision> {
        loop {
            self.observe_wait();
            let Poll::Ready(arrival) = wait.poll(context) else {
                return Poll::Pending;
            };
            let (target, outcome) = arrival.observed();
            self.observe_waited(target, outcome);
            let next = match arrival {
                Arrival::Found { answer, key, client } => self.found(answer, key, client, head),
                Arrival::FoundByOther { answer, asked, key, client } => {
                    self.found_by_other(answer, &asked, key, client, head)
                }
                Arrival::Reserved { answer, network, presented } => {
                    self.reserved(answer, network, presented, head)
                }
                Arrival::Failure { answer, address, denial } => {
                    self.shared_counted(answer, address, denial)
                }
                Arrival::Peek { denial, answer } => self.peeked(denial, answer),
                Arrival::Room { rule, answer } => self.has_room(rule, answer),
                Arrival::Permit(answer) => self.acquired(answer),
                Arrival::Cost(answer) => self.taken(answer),
            };
            match next {
                ControlFlow::Continue(further) => *wait = further,
                ControlFlow::Break(decision) => return Poll::Ready(decision),
            }
        }
    }

    /// Judges the record that the store found.
    pub(super) fn found(
        &mut self,
        answer: Result<Option<SharedRecord>, StoreError>,
        key: KeyFacts,
        client: Client,
        head: Head<'_>,
    ) -> Next {
        let shared = self.shared;
        let policy = &shared.policy;
        let record = match answer {
            Ok(Some(record)) if policy.is_for_us(&record) => record,
            Ok(None) if policy.has_other_peppers() => {
                return self.look_up_by_others(0, key, client, head);
            }
            // A key of another gate is as unknown here as a key that does not exist.
            Ok(_) => {
                self.mask(head);
                return self.failed(client, Denial::KeyUnknown);
            }
            Err(error) => {
                self.give_back(shared.now());
                shared.observe(|observer| observer.store_failed(&error));
                return self.refused(Denial::StoreUnavailable);
            }
        };
        let now = shared.now();
        self.state.now = now;
        self.state.source = Some(key.source);
        let mut case = Case::new(policy, head, client, key, &record, now);
        let judged = judge(&mut case);
        self.state.route = case.route();
        if !matches!(judged, Err(Objection::ToKey(_))) {
            self.give_back(now);
        }
        let route = policy.route(self.state.route);
        if judged.is_err() {
            self.mask(head);
        }
        match judged {
            Ok(cleared) => {
                self.state.cleared = Some(cleared);
                self.state.plan = policy.plan(&record);
                self.state.principal = Some(record);
                (self.state.cost, self.state.settles) =
                    route.map_or((1, false), |route| (route.cost_of(&head), route.settles));
                match route.and_then(|route| route.concurrency) {
                    None => self.take(),
                    Some(rule) => self.look_for_room(rule),
                }
            }
            Err(Objection::ToKey(denial)) => {
                self.state.expired_at = record.expires().filter(|_| denial == Denial::KeyExpired);
                self.failed(client, denial)
            }
            Err(Objection::ToRequest(denial)) => {
                if denial == Denial::NetworkNotAllowed
                    && let Some(alarms) = &shared.counted.alarms
                    && alarms.used_elsewhere(record.id(), now)
                {
                    shared.observe(|observer| observer.key_used_elsewhere(&record, client.address));
                }
                self.state.plan = policy.plan(&record);
                self.state.principal = Some(record);
                match self.count_refusal() {
                    Ok(()) => self.peek(denial),
                    Err(limited) => self.refused(limited),
                }
            }
        }
    }
}
