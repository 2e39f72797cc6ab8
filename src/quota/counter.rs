//! The counting itself: plain functions of a quota, a counter and an instant.
//!
//! Charging several quotas at once is asking all of them with [`Counter::wait`], and only if none
//! makes the request wait, charging each: that is how nothing is taken in vain.
//!
//! Instants come in order, as a limiter sees to; an earlier one says that the clock was set back.
//! Every look at a counter from outside first settles it: what is over is dropped, and what a clock set back
//! has moved into the future is moved to now. Settling never makes a wait longer.

use std::time::Duration;

use super::fixed_window::FixedWindow;
use super::leaky_bucket::LeakyBucket;
use super::sliding_window::SlidingWindow;
use super::status::QuotaStatus;
use crate::clock::Timestamp;
use crate::quota::{Algorithm, Quota};

/// Counts the requests of one subject under one quota.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::clock::Timestamp;
/// use tower_api_key::quota::{Counter, Quota};
///
/// let quota = Quota::new("minute", 2, Duration::from_secs(60));
/// let now = Timestamp::from_unix_seconds(1_000);
/// let mut counter = Counter::new(&quota);
/// counter.charge(&quota, now, 2);
/// assert_eq!(counter.wait(&quota, now, 1), Some(Duration::from_secs(60)));
/// assert_eq!(counter.wait(&quota, now.plus(Duration::from_secs(60)), 1), None);
/// ```
#[derive(Debug, Clone)]
pub struct Counter(CounterState);

#[derive(Debug, Clone)]
enum CounterState {
    Fixed(FixedWindow),
    Bucket(LeakyBucket),
    // Thirteen numbers, which the other two should not have to carry.
    Sliding(Box<SlidingWindow>),
}

impl Counter {
    /// Starts an unused counter for a quota.
    pub fn new(quota: &Quota) -> Self {
        Self(match quota.algorithm() {
            Algorithm::FixedWindow | Algorithm::CalendarDay | Algorithm::CalendarMonth => {
                CounterState::Fixed(FixedWindow::default())
            }
            Algorithm::LeakyBucket => CounterState::Bucket(LeakyBucket::default()),
            Algorithm::SlidingWindow => CounterState::Sliding(Box::default()),
        })
    }

    /// Returns how long a request of this cost must wait, `None` if it can pass now. A cost beyond
    /// the whole limit can never pass; it is told to wait for the window all the same.
    pub fn wait(&mut self, quota: &Quota, now: Timestamp, cost: u32) -> Option<Duration> {
        self.nanoseconds_to_wait(quota, now, cost).map(Duration::from_nanos)
    }

    pub(crate) fn nanoseconds_to_wait(
        &mut self,
        quota: &Quota,
        now: Timestamp,
        cost: u32,
    ) -> Option<u64> {
        match &mut self.0 {
            CounterState::Fixed(window) => window.wait(quota, now, cost),
            CounterState::Bucket(bucket) => bucket.wait(quota, now, cost),
            CounterState::Sliding(window) => window.wait(quota, now, cost),
        }
    }

    /// Takes the cost of a request, whether or not [`wait`](Self::wait) would have let it pass.
    pub fn charge(&mut self, quota: &Quota, now: Timestamp, cost: u32) {
        self.settle(quota, now);
        self.take(quota, now, cost);
    }

    /// Returns what is left and when it is back.
    pub fn status(&mut self, quota: &Quota, now: Timestamp) -> QuotaStatus {
        self.settle(quota, now);
        let (remaining, reset) = self.take(quota, now, 0);
        QuotaStatus::in_nanoseconds(quota.limit(), remaining, reset)
    }

    /// Takes a cost, or nothing, from a counter that was just asked at this instant, and returns
    /// what is left, and the nanoseconds until all is back.
    pub(crate) fn take(&mut self, quota: &Quota, now: Timestamp, cost: u32) -> (u32, u64) {
        match &mut self.0 {
            CounterState::Fixed(window) => window.take(quota, now, cost),
            CounterState::Bucket(bucket) => bucket.take(quota, now, cost),
            CounterState::Sliding(window) => window.take(quota, now, cost),
        }
    }

    fn settle(&mut self, quota: &Quota, now: Timestamp) {
        match &mut self.0 {
            CounterState::Fixed(window) => window.settle(quota, now),
            CounterState::Bucket(bucket) => {
                bucket.settle(quota, now);
            }
            CounterState::Sliding(window) => window.settle(quota, now),
        }
    }

    /// Tells whether the counter is as good as new, so that it can be forgotten.
    pub fn is_idle(&self, now: Timestamp) -> bool {
        match &self.0 {
            CounterState::Fixed(window) => window.is_idle(now),
            CounterState::Bucket(bucket) => bucket.is_idle(now),
            CounterState::Sliding(window) => window.is_idle(now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_charged_is_counted_until_the_window_is_over() {
        let (now, minute) = (Timestamp::from_unix_seconds(1_000_020), Duration::from_secs(60));
        for (algorithm, wait) in [
            (Algorithm::FixedWindow, minute),
            (Algorithm::LeakyBucket, Duration::from_secs(20)),
            // To the end of the part that follows the window.
            (Algorithm::SlidingWindow, Duration::from_secs(65)),
        ] {
            let quota = Quota::new("minute", 3, minute).with_algorithm(algorithm);
            let mut counter = Counter::new(&quota);
            assert_eq!(counter.status(&quota, now).remaining(), 3);
            assert_eq!(counter.wait(&quota, now, 3), None);
            counter.charge(&quota, now, 3);
            assert_eq!(counter.wait(&quota, now, 1), Some(wait), "{algorithm:?}");
            let status = counter.status(&quota, now);
            assert_eq!((status.limit(), status.remaining()), (3, 0));
            assert!(status.reset_after() >= minute && !counter.is_idle(now));
            let then = now.plus(status.reset_after());
            // Without a question before it: what is over is not counted on.
            let mut charged = counter.clone();
            charged.charge(&quota, then, 1);
            assert_eq!(charged.status(&quota, then).remaining(), 2, "{algorithm:?}");
            assert_eq!(counter.clone().status(&quota, then).remaining(), 3, "{algorithm:?}");
            assert_eq!(counter.wait(&quota, then, 3), None, "{algorithm:?}");
            assert!(counter.is_idle(then) && counter.status(&quota, then).remaining() == 3);
        }
    }

    #[test]
    fn a_quota_that_no_set_would_take_makes_nothing_panic() {
        let now = Timestamp::from_unix_seconds(5);
        for algorithm in Algorithm::ALL {
            for (limit, seconds) in [(0, 1), (1, 0), (0, 0), (u32::MAX, u64::MAX)] {
                let quota = Quota::new("x", limit, Duration::from_secs(seconds));
                let quota = quota.with_algorithm(algorithm);
                let mut counter = Counter::new(&quota);
                for cost in [0, 1, u32::MAX, u32::MAX] {
                    counter.wait(&quota, now, cost);
                    counter.charge(&quota, now, cost);
                    counter.status(&quota, now);
                }
                let last = Timestamp::from_unix_nanoseconds(u64::MAX);
                counter.wait(&quota, last, 1);
                assert!(counter.is_idle(last) || limit > 0 || seconds > 0);
            }
        }
    }
}
