//! The state of one request, from the decision to its response.

use bytes::Bytes;
use http::Response;

use super::observation::Observation;
use crate::attempts::{Reservation, SharedReservation};
use crate::caller::{Caller, ClientNetwork};
use crate::clock::Timestamp;
use crate::concurrency::Permit;
use crate::decision::{Cleared, ExtraCost, GateDecision, Grant, Policy};
use crate::error::Denial;
use crate::key::{KeyRecord, SharedRecord};
use crate::limits::{LimiterFallback, Plan};
use crate::quota::{AppliedQuotas, Verdict};
use crate::request::SourceIndex;
use crate::response::Authenticated;

/// The decision about a request: it passes, or it is refused.
pub(super) type Decision = Result<(), Denial>;

/// The state of one request. Each step of the decision fills its part in place. Passing the state from step
/// to step by value stalled the processor for 40 of 675 ns, on values just written (docs/performance.md).
#[derive(Default)]
pub(super) struct RequestState {
    /// The reserved attempt to authenticate, until the gate knows whether it has failed.
    pub(super) attempt: Option<Reservation>,
    /// The same attempt where all processes count it. Behind a pointer, because few requests have one.
    pub(super) shared_attempt: Option<Box<SharedReservation>>,
    /// The gate's own answer to a preflight.
    pub(super) answer: Option<Box<Response<Bytes>>>,
    /// The record of a valid key. The response may report the account and limits of the key.
    pub(super) principal: Option<SharedRecord>,
    /// The network of an anonymous client whose requests are counted. Behind a pointer, because every request has
    /// room for a network, and few have one.
    pub(super) network: Option<Box<ClientNetwork>>,
    /// The proof that the rules let the request pass.
    pub(super) cleared: Option<Cleared>,
    /// The source that carried the key. `None` until the store has answered, and for a request without a key.
    pub(super) source: Option<SourceIndex>,
    pub(super) route: Option<usize>,
    /// The plan of the account, as it was when the record was judged.
    pub(super) plan: Plan,
    /// The cost that the request takes from its quotas.
    pub(super) cost: u32,
    /// True if the cost may change when the inner service has ended.
    pub(super) settles: bool,
    /// What the handler changes of the cost. `None` if the route is not metered.
    pub(super) extra: Option<ExtraCost>,
    /// What the gate did instead of the charge. `None` if the limiter answered.
    pub(super) fallback: Option<LimiterFallback>,
    pub(super) verdict: Verdict,
    pub(super) now: Timestamp,
    pub(super) permit: Option<Permit>,
    /// When the key expired, if it is refused for that.
    pub(super) expired_at: Option<Timestamp>,
    /// The presented key without its secret part, if it is refused and an answer may show it.
    pub(super) masked_key: Option<Box<str>>,
    /// True for a preflight that is admitted or answered.
    pub(super) preflight: bool,
    pub(super) observation: Observation,
}

impl RequestState {
    /// Returns the record of a valid key.
    pub(super) fn record(&self) -> Option<&KeyRecord> {
        self.principal.as_deref()
    }

    /// Makes the grant of an admitted request. Returns `None` for a request without a key.
    pub(super) fn grant(&mut self, policy: &Policy) -> Option<Grant> {
        let (cleared, principal) = (self.cleared.as_ref()?, self.principal.as_ref()?);
        if self.settles {
            let route = policy.route(self.route);
            let metered = route.filter(|route| route.metered);
            self.extra = metered.map(|_| ExtraCost::new(policy.refunds()));
        }
        let quotas = policy.hold_quotas(&self.plan, self.route);
        let (extra, permit) = (self.extra.as_ref(), self.permit.as_ref());
        Grant::new(cleared, principal, &self.verdict, quotas, extra, permit, policy.scopes())
    }

    /// Returns the decision about an answered request, for the layers outside of the gate.
    pub(super) fn decision(&self, denial: Option<&Denial>) -> GateDecision {
        let principal = self.principal.clone();
        match denial {
            Some(denial) => GateDecision::refused(denial.clone(), principal),
            None if self.preflight => GateDecision::preflight(),
            None => GateDecision::admitted(principal),
        }
    }

    /// Returns who is charged, and the quotas that apply to the request.
    pub(super) fn counted<'a>(
        &'a self,
        policy: &'a Policy,
    ) -> Option<(Caller<'a>, AppliedQuotas<'a>)> {
        if let Some(record) = self.record() {
            let quotas = policy.quotas(record, &self.plan, self.route);
            return Some((Caller::Key(record), quotas));
        }
        let network = self.network.as_deref()?;
        Some((Caller::Network(network), policy.anonymous_quotas(self.route)))
    }

    /// Returns the facts that the response reports about the key and its limits, or about the limits of an
    /// anonymous request.
    pub(super) fn trail<'a>(&'a self, policy: &'a Policy) -> Option<Authenticated<'a>> {
        let (caller, quotas) = self.counted(policy)?;
        let (verdict, now, cost) = (Some(&self.verdict), self.now, self.cost);
        let in_flight = self.permit.as_ref().and_then(Permit::in_flight);
        let shows_limits = policy.route(self.route).is_none_or(|route| route.shows_limits);
        Some(Authenticated { caller, quotas, verdict, now, cost, in_flight, shows_limits })
    }
}
