//! The cost that a handler adds to its request, or gives back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The value of a cost that was settled: nothing more can change it.
const SETTLED: u64 = u64::MAX;
/// The value of a request that costs nothing, whatever is added.
const NOTHING: u64 = (u32::MAX as u64) << 32;
/// The largest sums.
const MOST: u32 = u32::MAX - 1;

/// The sums of the added and the refunded costs, until the gate settles them with the quotas. Clones share
/// them.
#[derive(Debug, Clone)]
pub(crate) struct ExtraCost {
    // The added cost in the low half, and the refunded one in the high half.
    sums: Arc<AtomicU64>,
    /// Whether the limiter gives costs back.
    refunds: bool,
}

/// What a handler has changed of the cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CostChange {
    /// Costs were added, refunded, or both.
    By { added: u32, refunded: u32 },
    /// The request costs nothing.
    ToNothing,
}

impl ExtraCost {
    pub(crate) fn new(refunds: bool) -> Self {
        Self { sums: Arc::default(), refunds }
    }

    /// Adds to the sum, up to the largest cost that can be charged.
    ///
    /// # Errors
    ///
    /// [`CostError::Settled`] if the cost was settled.
    pub(super) fn add(&self, cost: u32) -> Result<(), CostError> {
        self.change(|added, refunded| join(added.saturating_add(cost).min(MOST), refunded))
    }

    /// Refunds a part of the cost.
    ///
    /// # Errors
    ///
    /// [`CostError::NotRefundable`] if the limiter gives nothing back, or [`CostError::Settled`].
    pub(super) fn refund(&self, cost: u32) -> Result<(), CostError> {
        self.refundable()?;
        self.change(|added, refunded| join(added, refunded.saturating_add(cost).min(MOST)))
    }

    /// Refunds all of the cost, whatever is added before or after.
    ///
    /// # Errors
    ///
    /// [`CostError::NotRefundable`] if the limiter gives nothing back, or [`CostError::Settled`].
    pub(super) fn refund_all(&self) -> Result<(), CostError> {
        self.refundable()?;
        self.change(|_, _| NOTHING)
    }

    const fn refundable(&self) -> Result<(), CostError> {
        if self.refunds { Ok(()) } else { Err(CostError::NotRefundable) }
    }

    fn change(&self, change: impl Fn(u32, u32) -> u64) -> Result<(), CostError> {
        let changed = |sums: u64| match sums {
            SETTLED => None,
            NOTHING => Some(NOTHING),
            sums => {
                let (added, refunded) = split(sums);
                Some(change(added, refunded))
            }
        };
        // `Relaxed`: no other memory depends on this number.
        let changed = self.sums.fetch_update(Ordering::Relaxed, Ordering::Relaxed, changed);
        changed.map(|_| ()).map_err(|_| CostError::Settled)
    }

    /// Returns the change, and none if it was settled before. Nothing can be changed afterwards.
    pub(crate) fn settle(&self) -> CostChange {
        match self.sums.swap(SETTLED, Ordering::Relaxed) {
            SETTLED => CostChange::By { added: 0, refunded: 0 },
            NOTHING => CostChange::ToNothing,
            sums => {
                let (added, refunded) = split(sums);
                CostChange::By { added, refunded }
            }
        }
    }
}

const fn join(added: u32, refunded: u32) -> u64 {
    (refunded as u64) << 32 | added as u64
}

#[expect(clippy::cast_possible_truncation, reason = "each half is a number of 32 bits")]
const fn split(sums: u64) -> (u32, u32) {
    (sums as u32, (sums >> 32) as u32)
}

/// The reason why a cost was not changed. The gate will not charge an added cost, or give a refunded one back.
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
    /// The route is not [metered](crate::rules::Route::metered), so the gate ignores what handlers say of the cost.
    #[error(
        "the route is not metered, so its handler cannot change the cost: call `Route::metered`"
    )]
    NotMetered,
    /// The [limiter](crate::limits::Limiter::refunds) gives nothing back.
    #[error("the limiter gives no cost back: write `Limiter::refund`")]
    NotRefundable,
    /// The handler has ended: it has answered, or its request was given up.
    #[error("the cost of the request is settled: change it before the handler returns")]
    Settled,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_settled_once() {
        let most = CostChange::By { added: MOST, refunded: 0 };
        let by = |added, refunded| CostChange::By { added, refunded };
        for (added, refunded, change) in [
            (&[][..], &[][..], by(0, 0)),
            (&[3, 0, 4], &[], by(7, 0)),
            (&[3], &[2, 5], by(3, 7)),
            (&[u32::MAX, 1], &[], most),
            (&[u32::MAX; 3], &[u32::MAX, 1], by(MOST, MOST)),
        ] {
            let extra = ExtraCost::new(true);
            let shared = extra.clone();
            assert!(added.iter().all(|cost| shared.add(*cost).is_ok()));
            assert!(refunded.iter().all(|cost| shared.refund(*cost).is_ok()));
            assert_eq!(extra.settle(), change, "{added:?}");
            assert_eq!(shared.add(1), Err(CostError::Settled));
            assert_eq!(shared.refund(1), Err(CostError::Settled));
            assert_eq!(shared.refund_all(), Err(CostError::Settled));
            assert_eq!((shared.settle(), extra.settle()), (by(0, 0), by(0, 0)));
        }
    }

    #[test]
    fn a_request_that_costs_nothing_stays_so() {
        let extra = ExtraCost::new(true);
        for result in [extra.add(u32::MAX), extra.refund_all(), extra.add(7), extra.refund(7)] {
            assert_eq!(result, Ok(()));
        }
        assert_eq!(extra.settle(), CostChange::ToNothing);
    }

    #[test]
    fn a_limiter_that_gives_nothing_back_is_no_secret() {
        let extra = ExtraCost::new(false);
        assert_eq!(extra.refund(1), Err(CostError::NotRefundable));
        assert_eq!(extra.refund_all(), Err(CostError::NotRefundable));
        assert_eq!(extra.add(1), Ok(()));
        assert_eq!(extra.settle(), CostChange::By { added: 1, refunded: 0 });
    }
}
