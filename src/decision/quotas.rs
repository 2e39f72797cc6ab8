//! The quotas that apply to a request.

use crate::key::KeyRecord;
use crate::limits::Plan;
use crate::quota::{AppliedQuotas, HeldQuotas, Quota, Quotas};

/// The quotas that applied when the record was judged, for the lifetime of the request's [`Grant`]. Held
/// here because the plan may change and the gate may be dropped before. The record holds the quotas of the
/// key and the account.
///
/// [`Grant`]: super::Grant
#[derive(Debug, Clone, Default)]
pub(crate) struct RequestQuotas {
    /// Whether only the quotas of the route apply.
    pub(super) only_route: bool,
    pub(super) plan: Plan,
    pub(super) profile: HeldQuotas,
    pub(super) route: HeldQuotas,
}

impl RequestQuotas {
    /// Returns the quotas that apply to a request with this record.
    pub(super) fn of<'a>(&'a self, record: &'a KeyRecord) -> AppliedQuotas<'a> {
        if self.only_route {
            return AppliedQuotas { general: &[], route: self.route.as_slice() };
        }
        applicable(record, &self.plan, self.profile.as_slice(), self.route.as_slice())
    }
}

/// Returns the quotas that apply to a request with this record: the key's, else its account's, else its
/// plan's, else the profile's; and in addition the route's.
pub(super) fn applicable<'a>(
    record: &'a KeyRecord,
    plan: &'a Plan,
    profile: &'a [Quota],
    route: &'a [Quota],
) -> AppliedQuotas<'a> {
    let own = record.quotas().map(Quotas::as_slice);
    AppliedQuotas { general: own.or(plan.quotas()).unwrap_or(profile), route }
}
