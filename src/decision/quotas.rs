//! Which quotas apply to a request.

use crate::key::KeyRecord;
use crate::limits::Plan;
use crate::quota::{Applicable, Quota, Quotas};

/// The quotas that a request may be under, as they were when its record was judged: a plan's may change
/// before the response speaks of them. Those of the key and the account are in the record.
#[derive(Debug, Clone, Default)]
pub(crate) struct RequestQuotas {
    pub(super) plan: Plan,
    // Constants, for threads that share the policy's own would pass its count to and fro.
    pub(super) profile: &'static [Quota],
    pub(super) route: &'static [Quota],
}

impl RequestQuotas {
    /// Lists the quotas that apply to a request with this record: the key's, else its account's, else
    /// its plan's, else the profile's; and the route's.
    pub(crate) fn of<'a>(&'a self, record: &'a KeyRecord) -> Applicable<'a> {
        let own = record.quotas().map(Quotas::as_slice);
        let general = own.or(self.plan.quotas()).unwrap_or(self.profile);
        Applicable { general, route: self.route }
    }

    /// Returns true if the account is on a plan that does not exist.
    pub(crate) const fn is_plan_unknown(&self) -> bool {
        self.plan.is_unknown()
    }
}
