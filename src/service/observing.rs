//! Observing requests: when the gate calls the observers of requests, and with what.

use std::panic::{AssertUnwindSafe, catch_unwind};

use http::{Request, StatusCode};

use super::deciding::Deciding;
use super::exchange::Exchange;
use super::mark_connection::client_of;
use super::observation::ObservationPhase;
use crate::decision::{ObservedRequest, RequestDecision, RequestEnd};
use crate::error::Denial;
use crate::request::{Client, OriginalRequestError, RequestId};

impl Deciding<'_> {
    /// Begins to observe a request, if an observer observes requests.
    #[inline]
    pub(super) fn observe<B>(&mut self, request: &Request<B>) {
        if self.shared.options.observers.observe_requests() {
            self.state.observation.begin(self.shared, request.method());
        }
    }

    /// Records the client of an observed request.
    #[inline]
    pub(super) fn observe_client(&mut self, client: Client) {
        if self.state.observation.is_on() {
            self.state.observation.client = Some(client);
        }
    }

    /// Records that the gate has decided about an observed request.
    #[inline]
    pub(super) fn observe_decision(&mut self) {
        if self.state.observation.is_on() {
            let (refused, now) = (ObservationPhase::Refused, self.state.now);
            self.state.observation.decide(self.shared, now, refused);
        }
    }
}

impl Exchange {
    /// Calls the observers of requests for an admitted request.
    #[inline]
    pub(super) fn observe_admitted(&mut self) {
        if self.state.observation.is_on() {
            let (admitted, now) = (ObservationPhase::Admitted, self.state.now);
            self.state.observation.decide(&self.shared, now, admitted);
            if self.shared.options.observers.observe_admissions() {
                self.report_admitted();
            }
        }
    }

    #[cold]
    fn report_admitted(&self) {
        let request = self.observed(None);
        self.shared.options.observers.of_admission(|observer| observer.admitted(&request));
    }

    /// Calls the observers of requests for a request that has ended. Only the first call counts.
    #[inline]
    pub(super) fn observe_end(&mut self, denial: Option<&Denial>, end: RequestEnd) {
        if self.state.observation.is_on() {
            self.report_end(denial, end);
        }
    }

    #[cold]
    fn report_end(&mut self, denial: Option<&Denial>, end: RequestEnd) {
        let request = self.observed(denial);
        self.shared.options.observers.of_request(|observer| observer.ended(&request, end));
        self.state.observation.phase = ObservationPhase::Unobserved;
    }

    /// Calls the observers of requests for a question that does not state its request.
    #[cold]
    pub(super) fn observe_unstated<B>(
        &mut self,
        question: &Request<B>,
        status: StatusCode,
        error: &OriginalRequestError,
    ) {
        // The proxy that asks, or a peer that passes for one.
        let client = client_of(&self.shared.policy, question);
        let Self { shared, state, .. } = self;
        let mut deciding = Deciding { shared, state };
        deciding.observe(question);
        deciding.observe_client(client);
        if self.state.observation.is_on() {
            let request = ObservedRequest { unstated: Some(error), ..self.observed(None) };
            let end = RequestEnd::Answered(status);
            self.shared.options.observers.of_request(|observer| observer.ended(&request, end));
            self.state.observation.phase = ObservationPhase::Unobserved;
        }
    }

    /// Calls the observers of requests for a request that is dropped before its end.
    #[inline]
    pub(super) fn observe_hang_up(&mut self) {
        if self.state.observation.is_on() {
            self.report_hang_up();
        }
    }

    #[cold]
    fn report_hang_up(&mut self) {
        // A second panic while the first one unwinds would end the process.
        let _ = catch_unwind(AssertUnwindSafe(|| self.report_end(None, RequestEnd::HungUp)));
    }

    /// Returns what an observer gets of a request.
    fn observed<'a>(&'a self, denial: Option<&'a Denial>) -> ObservedRequest<'a> {
        let (shared, state) = (&*self.shared, &self.state);
        let observation = &state.observation;
        let decision = match (denial, observation.phase) {
            (None, _) if state.preflight => RequestDecision::Preflight,
            (None, ObservationPhase::Admitted) if state.principal.is_some() => {
                RequestDecision::Admitted
            }
            (None, ObservationPhase::Admitted) => RequestDecision::Anonymous,
            (None, ObservationPhase::Undecided | ObservationPhase::Unobserved) => {
                RequestDecision::Unjudged
            }
            // Without a denial, the client hung up before its refusal was written.
            (Some(_), _) | (None, ObservationPhase::Refused) => RequestDecision::Refused,
        };
        let (at, latency) = observation.decided(shared, state.now);
        ObservedRequest {
            counter: &shared.counter,
            policy: &shared.policy,
            plan: &state.plan,
            vendor: &shared.name,
            method: observation.method,
            route: state.route,
            client: observation.client.unwrap_or(Client { address: None, https: false }),
            network: state.network.as_deref(),
            record: state.record(),
            decision,
            denial,
            verdict: &state.verdict,
            asked: state.cost,
            charged: observation.phase == ObservationPhase::Admitted,
            has_waited: observation.has_waited,
            request_id: self.request_id().map(RequestId::as_str),
            at,
            latency,
            unstated: None,
        }
    }
}
