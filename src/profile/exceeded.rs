//! The quotas that refused a request.

use crate::quota::{AppliedQuotas, Quota, QuotaStatus, Verdict};

/// The quotas of a refused request, and what its limiter has said of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ExceededQuotas<'a> {
    pub(crate) quotas: AppliedQuotas<'a>,
    pub(crate) verdict: &'a Verdict,
    /// The cost that the request asked of its quotas.
    pub(crate) cost: u32,
}

impl<'a> ExceededQuotas<'a> {
    /// Lists the quotas that had no room for the cost. A quota in shadow refuses nothing.
    pub(crate) fn iter(self) -> impl Iterator<Item = (&'a Quota, QuotaStatus)> {
        let spoken = self.verdict.spoken_of(self.quotas);
        spoken.filter(move |(_, status)| status.remaining() < self.cost)
    }
}
