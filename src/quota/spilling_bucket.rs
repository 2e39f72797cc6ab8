//! A leaky bucket that gives costs back, and knows when it ran over.

use super::leaky_bucket::LeakyBucket;
use crate::clock::Timestamp;
use crate::quota::Quota;

/// A leaky bucket, and the latest instant at which it ran over.
///
/// The bucket forgets what runs over, so no wait is longer than a full bucket takes to drain. Costs that were taken
/// by then have nothing to give back, because what ran over may fill their place.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SpillingBucket {
    bucket: LeakyBucket,
    spilled_at: Timestamp,
}

impl SpillingBucket {
    fn note(&mut self, quota: &Quota, now: Timestamp, cost: u32) {
        if self.bucket.runs_over(quota, now, cost) {
            self.spilled_at = now;
        }
    }

    #[inline]
    pub(crate) fn settle(&mut self, quota: &Quota, now: Timestamp) {
        self.note(quota, now, 0);
        self.bucket.settle(quota, now);
    }

    pub(crate) fn wait(&mut self, quota: &Quota, now: Timestamp, cost: u32) -> Option<u64> {
        self.note(quota, now, 0);
        self.bucket.wait(quota, now, cost)
    }

    /// Takes a cost as [`LeakyBucket::take`] does.
    pub(crate) fn take(&mut self, quota: &Quota, now: Timestamp, cost: u32) -> (u32, u64) {
        self.note(quota, now, cost);
        self.bucket.take(quota, now, cost)
    }

    /// Gives back what has not drained of a cost that was taken at an instant, unless the bucket ran over since.
    pub(crate) fn refund(&mut self, quota: &Quota, now: Timestamp, taken_at: Timestamp, cost: u32) {
        if taken_at > self.spilled_at {
            self.bucket.refund(quota, now, taken_at, cost);
        }
    }

    pub(crate) fn is_idle(self, now: Timestamp) -> bool {
        self.bucket.is_idle(now)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const QUOTA: Quota = Quota::new("minute", 60, Duration::from_secs(60));
    const START: Timestamp = Timestamp::from_unix_seconds(1_000_000);

    fn at(seconds: u64) -> Timestamp {
        START.plus(Duration::from_secs(seconds))
    }

    fn take(bucket: &mut SpillingBucket, now: Timestamp, cost: u32) -> u32 {
        bucket.settle(&QUOTA, now);
        bucket.take(&QUOTA, now, cost).0
    }

    #[test]
    fn what_was_taken_before_a_spill_gives_nothing_back_and_what_came_later_does() {
        for (taken, spilled, refunded) in [(0, 0, 0), (0, 3, 5), (3, 3, 3), (0, 59, 59)] {
            let mut bucket = SpillingBucket::default();
            take(&mut bucket, at(taken), 50);
            assert_eq!(take(&mut bucket, at(spilled), 61), 0);
            let before = take(&mut bucket, at(refunded), 0);
            bucket.refund(&QUOTA, at(refunded), at(taken), 50);
            assert_eq!(take(&mut bucket, at(refunded), 0), before, "{taken} {spilled} {refunded}");
        }
        // A full bucket has not run over.
        let mut bucket = SpillingBucket::default();
        take(&mut bucket, at(0), 50);
        take(&mut bucket, at(0), 10);
        bucket.refund(&QUOTA, at(0), at(0), 50);
        assert_eq!(take(&mut bucket, at(0), 0), 50);
        // Neither has the cost that came after a spill.
        take(&mut bucket, at(1), 99);
        assert_eq!(take(&mut bucket, at(11), 8), 2);
        bucket.refund(&QUOTA, at(12), at(11), 8);
        assert_eq!(take(&mut bucket, at(12), 0), 10);
    }

    #[test]
    fn a_clock_set_back_ends_no_refunds() {
        let mut bucket = SpillingBucket::default();
        take(&mut bucket, at(1_000_000), 61);
        assert_eq!(take(&mut bucket, at(0), 0), 0);
        assert_eq!(take(&mut bucket, at(20), 5), 15);
        bucket.refund(&QUOTA, at(20), at(20), 5);
        assert_eq!(take(&mut bucket, at(20), 0), 20);
    }
}
