//! The leaky bucket, which drains evenly: the generic cell rate algorithm (ITU-T I.371).

use crate::clock::Timestamp;
use crate::quota::Quota;

/// A leaky bucket, as the instant at which it is empty again (the theoretical arrival time).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct LeakyBucket {
    empty_at: Timestamp,
}

/// Returns the nanoseconds that one request takes to drain from a leaky bucket, rounded up.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::quota::{Algorithm, Quota, arithmetic};
///
/// let quota = Quota::new("minute", 60, Duration::from_secs(60)).with_algorithm(Algorithm::LeakyBucket);
/// assert_eq!(arithmetic::interval(&quota), 1_000_000_000);
/// ```
pub fn interval(quota: &Quota) -> u64 {
    quota.window_nanoseconds().div_ceil(u64::from(quota.limit()).max(1)).max(1)
}

/// Returns the nanoseconds that a full leaky bucket takes to drain.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::quota::{Algorithm, Quota, arithmetic};
///
/// let quota = Quota::new("minute", 60, Duration::from_secs(60)).with_algorithm(Algorithm::LeakyBucket);
/// assert_eq!(arithmetic::capacity(&quota), 60_000_000_000);
/// ```
pub fn capacity(quota: &Quota) -> u64 {
    interval(quota).saturating_mul(u64::from(quota.limit()))
}

impl LeakyBucket {
    /// Returns the nanoseconds that the content still takes to drain. A clock set back must not lock an account
    /// out, so this limits the content to the capacity.
    #[inline]
    pub(crate) fn settle(&mut self, quota: &Quota, now: Timestamp) -> u64 {
        let level = self.empty_at.nanoseconds_since(now).min(capacity(quota));
        self.empty_at = now.plus_nanoseconds(level);
        level
    }

    pub(crate) fn wait(&mut self, quota: &Quota, now: Timestamp, cost: u32) -> Option<u64> {
        let added = interval(quota).saturating_mul(u64::from(cost));
        let excess = self.settle(quota, now).saturating_add(added).saturating_sub(capacity(quota));
        (excess > 0).then_some(excess)
    }

    /// Returns true if the bucket holds less than what is in it and a cost.
    pub(crate) fn runs_over(self, quota: &Quota, now: Timestamp, cost: u32) -> bool {
        let added = interval(quota).saturating_mul(u64::from(cost));
        self.empty_at.nanoseconds_since(now).saturating_add(added) > capacity(quota)
    }

    /// Takes a cost, which may be 0, from a bucket that was settled at this instant. Cost that does not fit
    /// runs over. Returns the requests left, and the nanoseconds until all are back.
    pub(crate) fn take(&mut self, quota: &Quota, now: Timestamp, cost: u32) -> (u32, u64) {
        let (interval, capacity) = (interval(quota), capacity(quota));
        let added = interval.saturating_mul(u64::from(cost));
        let level = self.empty_at.nanoseconds_since(now).saturating_add(added).min(capacity);
        self.empty_at = now.plus_nanoseconds(level);
        let remaining = capacity.saturating_sub(level) / interval;
        (u32::try_from(remaining).unwrap_or(u32::MAX), level)
    }

    /// Gives back a cost that is not to count, as if it had been taken just now.
    pub(crate) fn give_back(&mut self, quota: &Quota, now: Timestamp, cost: u32) {
        self.refund(quota, now, now, cost);
    }

    /// Gives back what has not drained of a cost that was taken at an instant. Not all of the cost: if other
    /// requests came meanwhile, the bucket would hold less than without the request.
    pub(crate) fn refund(&mut self, quota: &Quota, now: Timestamp, taken_at: Timestamp, cost: u32) {
        let drained = now.nanoseconds_since(taken_at);
        let given = interval(quota).saturating_mul(u64::from(cost)).saturating_sub(drained);
        let level = self.settle(quota, now).saturating_sub(given);
        self.empty_at = now.plus_nanoseconds(level);
    }

    /// Changes the quota of the bucket, which stays as full as it is.
    pub(crate) fn rescale(&mut self, old: &Quota, new: &Quota, now: Timestamp) {
        let level = u128::from(self.settle(old, now)) * u128::from(capacity(new));
        let level = level.div_ceil(u128::from(capacity(old).max(1)));
        self.empty_at = now.plus_nanoseconds(u64::try_from(level).unwrap_or(u64::MAX));
    }

    pub(crate) fn is_idle(self, now: Timestamp) -> bool {
        self.empty_at <= now
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const QUOTA: Quota = Quota::new("minute", 60, Duration::from_secs(60));
    const START: Timestamp = Timestamp::from_unix_seconds(1_000_000);

    fn at(milliseconds: u64) -> Timestamp {
        START.plus(Duration::from_millis(milliseconds))
    }

    fn status(bucket: &mut LeakyBucket, now: Timestamp) -> (u32, u64) {
        bucket.settle(&QUOTA, now);
        bucket.take(&QUOTA, now, 0)
    }

    #[test]
    fn a_full_bucket_drains_one_request_a_second() {
        let mut bucket = LeakyBucket::default();
        assert_eq!(status(&mut bucket, at(0)), (60, 0));
        for left in (0..60).rev() {
            assert_eq!(bucket.wait(&QUOTA, at(0), 1), None);
            bucket.settle(&QUOTA, at(0));
            bucket.take(&QUOTA, at(0), 1);
            assert_eq!(status(&mut bucket, at(0)).0, left);
        }
        assert_eq!(bucket.wait(&QUOTA, at(0), 1), Some(SECOND));
        assert_eq!(bucket.wait(&QUOTA, at(400), 1), Some(600 * SECOND / 1_000));
        assert_eq!(bucket.wait(&QUOTA, at(1_000), 1), None);
        assert_eq!(bucket.wait(&QUOTA, at(1_000), 2), Some(SECOND));
        assert_eq!(status(&mut bucket, at(0)), (0, 60 * SECOND));
        assert!(!bucket.is_idle(at(59_999)) && bucket.is_idle(at(60_000)));
    }

    #[test]
    fn a_clock_set_back_locks_nobody_out_for_longer_than_a_window() {
        let mut bucket = LeakyBucket::default();
        bucket.settle(&QUOTA, at(100_000_000));
        bucket.take(&QUOTA, at(100_000_000), 60);
        assert_eq!(bucket.wait(&QUOTA, at(0), 1), Some(SECOND));
        assert_eq!(bucket.wait(&QUOTA, at(999), 1), Some(SECOND / 1_000));
        assert_eq!(bucket.wait(&QUOTA, at(1_000), 1), None);
    }

    #[test]
    fn a_limit_that_does_not_divide_the_window_is_not_exceeded() {
        const SEVEN: Quota = Quota::new("seven", 7, Duration::from_secs(1));
        let (mut bucket, mut passed) = (LeakyBucket::default(), 0);
        for nanosecond in (0..10_000_000_000u64).step_by(1_000_003) {
            let now = START.plus(Duration::from_nanos(nanosecond));
            if bucket.wait(&SEVEN, now, 1).is_none() {
                bucket.settle(&SEVEN, now);
                bucket.take(&SEVEN, now, 1);
                passed += 1;
            }
        }
        assert!((76..=77).contains(&passed), "7 at once and 7 a second: {passed}");
    }
}
