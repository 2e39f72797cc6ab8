//! What is known of a request, from the decision to its response.

use bytes::Bytes;
use http::Response;

use crate::attempts::Reservation;
use crate::clock::Timestamp;
use crate::concurrency::Permit;
use crate::decision::{Cleared, ExtraCost, Grant, Policy};
use crate::error::Denial;
use crate::key::{KeyRecord, SharedRecord};
use crate::limits::Plan;
use crate::quota::{AppliedQuotas, Verdict};
use crate::request::SourceIndex;
use crate::response::Authenticated;

/// Whether a request may pass.
pub(super) type Decision = Result<(), Denial>;

/// What is known of a request so far. It is filled in place, step by step: handed from step to step
/// it would be copied just after it was written, which stalls the processor; that took 40 of 675 ns.
#[derive(Default)]
pub(super) struct RequestState {
    /// The attempt to authenticate that was reserved, until it is known whether it has failed.
    pub(super) attempt: Option<Reservation>,
    /// The gate's own answer, in place of the inner service's.
    pub(super) answer: Option<Box<Response<Bytes>>>,
    /// Whom the response speaks to: the principal, as soon as their key is known to serve.
    pub(super) principal: Option<SharedRecord>,
    /// The proof that the rules let the principal pass.
    pub(super) cleared: Option<Cleared>,
    /// What carried the key; none before the store has answered, and if the request needed none.
    pub(super) source: Option<SourceIndex>,
    pub(super) route: Option<usize>,
    /// The plan of the account, as it was when the record was judged.
    pub(super) plan: Plan,
    /// What it takes from its quotas.
    pub(super) cost: u32,
    /// What its handler adds to that; none if it may not.
    pub(super) extra: Option<ExtraCost>,
    pub(super) verdict: Verdict,
    pub(super) now: Timestamp,
    pub(super) permit: Option<Permit>,
}

impl RequestState {
    /// Returns the record of the principal.
    pub(super) fn record(&self) -> Option<&KeyRecord> {
        self.principal.as_deref()
    }

    /// Makes the grant of a request that rules and limits let pass; none if it needed no key.
    pub(super) fn grant(&mut self, policy: &Policy) -> Option<Grant> {
        let (cleared, principal) = (self.cleared.as_ref()?, self.principal.as_ref()?);
        let route = policy.route(self.route);
        self.extra = route.filter(|route| route.metered).map(|_| ExtraCost::default());
        let quotas = policy.hold_quotas(&self.plan, self.route);
        Grant::new(cleared, principal, &self.verdict, quotas, self.extra.as_ref())
    }

    /// Returns the principal, and the quotas that apply to the request.
    pub(super) fn counted<'a>(
        &'a self,
        policy: &'a Policy,
    ) -> Option<(&'a KeyRecord, AppliedQuotas<'a>)> {
        let record = self.record()?;
        Some((record, policy.quotas(record, &self.plan, self.route)))
    }

    /// Returns what the response says of the principal and its limits.
    pub(super) fn trail<'a>(&'a self, policy: &'a Policy) -> Option<Authenticated<'a>> {
        let (record, quotas) = self.counted(policy)?;
        Some(Authenticated { record, quotas, verdict: Some(&self.verdict), now: self.now })
    }
}
