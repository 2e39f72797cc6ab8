//! The cost that a handler adds to its request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The value of a sum that was settled: nothing more can be added to it.
const SETTLED: u64 = u64::MAX;

/// The sum of the added costs, until the gate takes it from the quotas. Clones share one sum.
#[derive(Debug, Clone, Default)]
pub(crate) struct ExtraCost(Arc<AtomicU64>);

impl ExtraCost {
    /// Adds to the sum, up to the largest cost that can be charged.
    ///
    /// # Errors
    ///
    /// [`CostError::Settled`] if the sum was settled.
    pub(super) fn add(&self, cost: u32) -> Result<(), CostError> {
        let most = u64::from(u32::MAX);
        let sum = |sum: u64| (sum != SETTLED).then(|| (sum + u64::from(cost)).min(most));
        // `Relaxed`: no other memory depends on this number.
        let added = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, sum);
        added.map(|_| ()).map_err(|_| CostError::Settled)
    }

    /// Returns the sum, and 0 if it was settled before. Nothing can be added afterwards.
    pub(crate) fn settle(&self) -> u32 {
        // Only `SETTLED` does not fit.
        u32::try_from(self.0.swap(SETTLED, Ordering::Relaxed)).unwrap_or(0)
    }
}

/// The reason why a cost was not added. The gate will not charge it.
///
/// ```
/// use tower_api_key::Grant;
/// use tower_api_key::decision::CostError;
///
/// fn export(grant: &Grant, rows: u32) -> Result<(), CostError> {
///     grant.add_cost(rows / 1_000) // an error if the route is not metered
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CostError {
    /// The route is not [metered](crate::rules::Route::metered), so the gate ignores added costs.
    #[error("the route is not metered, so its handler cannot add a cost: call `Route::metered`")]
    NotMetered,
    /// The handler has ended: it has answered, or its request was given up.
    #[error("the cost of the request is settled: add to it before the handler returns")]
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
