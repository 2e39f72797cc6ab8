//! Which quotas apply to a request.

use crate::key::KeyRecord;
use crate::limits::Plan;
use crate::quota::{AppliedQuotas, HeldQuotas, Quota, Quotas};

/// The quotas that a request was under when its record was judged, for as long as its [`Grant`] lives: a
/// plan's may change, and the gate be gone. Those of the key and the account are in the record.
///
/// [`Grant`]: super::Grant
#[derive(Debug, Clone, Default)]
pub(crate) struct RequestQuotas {
    pub(super) plan: Plan,
    pub(super) profile: HeldQuotas,
    pub(super) route: HeldQuotas,
}

impl RequestQuotas {
    /// Lists those that apply to a request with this record.
    pub(super) fn of<'a>(&'a self, record: &'a KeyRecord) -> AppliedQuotas<'a> {
        applicable(record, &self.plan, self.profile.as_slice(), self.route.as_slice())
    }
}

/// Lists the quotas that apply to a request with this record: the key's, else its account's, else its
/// plan's, else the profile's; and the route's.
pub(super) fn applicable<'a>(
    record: &'a KeyRecord,
    plan: &'a Plan,
    profile: &'a [Quota],
    route: &'a [Quota],
) -> AppliedQuotas<'a> {
    let own = record.quotas().map(Quotas::as_slice);
    AppliedQuotas { general: own.or(plan.quotas()).unwrap_or(profile), route }
}
