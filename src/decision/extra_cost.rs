//! The cost that a handler adds to its request, once it knows what that took.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Says that nothing more is added.
const SETTLED: u64 = u64::MAX;

/// Collects what is added, until the gate takes it from the quotas. Clones share one sum.
#[derive(Debug, Clone, Default)]
pub(crate) struct ExtraCost(Arc<AtomicU64>);

impl ExtraCost {
    /// Adds to the sum, which stops at the largest cost that can be charged.
    pub(super) fn add(&self, cost: u32) -> Result<(), CostError> {
        let most = u64::from(u32::MAX);
        let sum = |sum: u64| (sum != SETTLED).then(|| (sum + u64::from(cost)).min(most));
        // One number, which orders nothing else.
        let added = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, sum);
        added.map(|_| ()).map_err(|_| CostError::Settled)
    }

    /// Returns the sum once; nothing is added afterwards.
    pub(crate) fn settle(&self) -> u32 {
        // What does not fit is SETTLED.
        u32::try_from(self.0.swap(SETTLED, Ordering::Relaxed)).unwrap_or(0)
    }
}

/// Reports a cost that was not added, and will not be charged.
///
/// ```
/// use tower_api_key::Grant;
/// use tower_api_key::decision::CostError;
///
/// fn export(grant: &Grant, rows: u32) -> Result<(), CostError> {
///     grant.add_cost(rows / 1_000) // fails in the first test, if the route is not metered
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CostError {
    /// The route is not [metered](crate::rules::Route::metered), so the gate does not look for it.
    #[error("the route is not metered, so its handler can add no cost")]
    NotMetered,
    /// The response is on its way already, or the request was given up.
    #[error("the cost of the request is settled, so nothing can be added")]
    Settled,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_settled_once() {
        for (added, sum) in
            [(&[][..], 0), (&[3, 0, 4], 7), (&[u32::MAX, 1], u32::MAX), (&[u32::MAX; 3], u32::MAX)]
        {
            let extra = ExtraCost::default();
            let shared = extra.clone();
            assert!(added.iter().all(|cost| shared.add(*cost).is_ok()));
            assert_eq!(extra.settle(), sum, "{added:?}");
            assert_eq!(shared.add(1), Err(CostError::Settled));
            assert_eq!((shared.settle(), extra.settle()), (0, 0));
        }
    }
}
