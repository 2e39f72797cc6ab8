//! Observing requests: when the gate calls the observers of requests, and with what.

use std::panic::{AssertUnwindSafe, catch_unwind};

use http::{Request, StatusCode};

use super::deciding::Deciding;
use super::exchange::Exchange;
use super::observation::Observation;
use crate::decision::{ObservedRequest, RequestDecision, RequestEnd};
use crate::error::Denial;
use crate::request::{Client, RequestId};

impl Deciding<'_> {
    /// Begins to observe a request, if an observer observes requests.
    #[inline]
    pub(super) fn observe<B>(&mut self, request: &Request<B>) {
        if self.shared.options.observers.observe_requests() {
            let observation = Observation::begin(self.shared, request.method());
            self.state.observation = Some(Box::new(observation));
        }
    }

    /// Records the client of an observed request.
    #[inline]
    pub(super) fn observe_client(&mut self, client: Client) {
        if let Some(observation) = &mut self.state.observation {
            observation.client = client;
        }
    }

    /// Records that the gate has decided about an observed request.
    #[inline]
    pub(super) fn observe_decision(&mut self) {
        if let Some(observation) = &mut self.state.observation {
            observation.decide(self.shared, self.state.now);
        }
    }
}

impl Exchange {
    /// Calls the observers of requests for an admitted request.
    #[inline]
    pub(super) fn observe_admitted(&mut self) {
        if let Some(observation) = &mut self.state.observation {
            observation.decide(&self.shared, self.state.now);
            observation.admitted = true;
            self.report_admitted();
        }
    }

    #[cold]
    fn report_admitted(&self) {
        if let Some(observation) = &self.state.observation {
            let request = self.observed(observation, None);
            self.shared.options.observers.of_request(|observer| observer.admitted(&request));
        }
    }

    /// Calls the observers of requests for a request that has ended. Only the first call counts.
    #[inline]
    pub(super) fn observe_end(&mut self, denial: Option<&Denial>, end: RequestEnd) {
        if self.state.observation.is_some() {
            self.report_end(denial, end);
        }
    }

    #[cold]
    fn report_end(&mut self, denial: Option<&Denial>, end: RequestEnd) {
        if let Some(observation) = self.state.observation.take() {
            let request = self.observed(&observation, denial);
            self.shared.options.observers.of_request(|observer| observer.ended(&request, end));
        }
    }

    /// Calls the observers of requests for a question that does not state its request.
    #[cold]
    pub(super) fn observe_unstated<B>(&mut self, question: &Request<B>, status: StatusCode) {
        let Self { shared, state, .. } = self;
        Deciding { shared, state }.observe(question);
        self.observe_end(None, RequestEnd::Answered(status));
    }

    /// Calls the observers of requests for a request that is dropped before its end.
    #[inline]
    pub(super) fn observe_hang_up(&mut self) {
        if self.state.observation.is_some() {
            // A second panic while the first one unwinds would end the process.
            let _ = catch_unwind(AssertUnwindSafe(|| self.report_end(None, RequestEnd::HungUp)));
        }
    }

    /// Returns what an observer gets of a request.
    fn observed<'a>(
        &'a self,
        observation: &Observation,
        denial: Option<&'a Denial>,
    ) -> ObservedRequest<'a> {
        let (shared, state) = (&*self.shared, &self.state);
        let &Observation { method, client, decided, admitted, .. } = observation;
        let decision = match (denial, decided) {
            (None, _) if state.preflight => RequestDecision::Preflight,
            (None, _) if admitted && state.principal.is_some() => RequestDecision::Admitted,
            (None, _) if admitted => RequestDecision::Anonymous,
            (None, None) => RequestDecision::Unjudged,
            // Without a denial, the client hung up before its refusal was written.
            (Some(_), _) | (None, Some(_)) => RequestDecision::Refused,
        };
        let (at, latency) = decided.unwrap_or_else(|| observation.until_now(shared, state.now));
        let quotas = state.counted(&shared.policy).map(|(_, quotas)| quotas);
        ObservedRequest {
            vendor: &shared.name,
            method,
            route: shared.policy.route_pattern(state.route),
            client,
            network: state.network.as_deref(),
            record: state.record(),
            decision,
            denial,
            quotas: quotas.unwrap_or_default(),
            verdict: &state.verdict,
            asked: state.cost,
            charged: admitted,
            request_id: self.request_id().map(RequestId::as_str),
            at,
            latency,
        }
    }
}
