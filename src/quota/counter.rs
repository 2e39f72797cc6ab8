//! The counter of one subject under one quota.
//!
//! To charge several quotas, a limiter first asks all of them with [`Counter::wait`]. It charges each quota
//! only if none makes the request wait. So a refused request takes nothing.
//!
//! The limiter passes instants in order. A counter takes an earlier instant as a clock that was set back. Every
//! public method first settles the counter: it drops what is over, and moves to now what a clock set
//! back has moved into the future. Settling never makes a wait longer.

use std::time::Duration;

use super::fixed_window::FixedWindow;
use super::sliding_window::SlidingWindow;
use super::spilling_bucket::SpillingBucket;
use super::status::QuotaStatus;
use crate::clock::Timestamp;
use crate::quota::{Algorithm, Quota};

/// A counter of the requests of one subject under one quota.
///
/// To charge several quotas at once, ask all of them with [`wait`](Self::wait), then charge each if none
/// makes the request wait. Pass instants in order: an earlier instant means that the clock was set back.
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
    Bucket(SpillingBucket),
    // Boxed, so that the other two do not carry its 13 numbers.
    Sliding(Box<SlidingWindow>),
}

impl Counter {
    /// Creates an unused counter for a quota.
    pub fn new(quota: &Quota) -> Self {
        Self(match quota.algorithm() {
            Algorithm::FixedWindow | Algorithm::CalendarDay | Algorithm::CalendarMonth => {
                CounterState::Fixed(FixedWindow::default())
            }
            Algorithm::LeakyBucket => CounterState::Bucket(SpillingBucket::default()),
            Algorithm::SlidingWindow => CounterState::Sliding(Box::default()),
        })
    }

    /// Returns how long a request of this cost must wait, `None` if it can pass now. A cost over the whole
    /// limit can never pass. For such a cost, this method still returns a wait for the window.
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

    /// Gives back a cost that was taken at an instant. Gives back only what still counts: nothing of a window
    /// that is over, and nothing of what a bucket has drained, or held when it last ran over. So afterwards no more
    /// is left than if the request had never come, with one exception: a fixed window that the request opened
    /// keeps its end if other costs count in it. Then up to `2 × limit` count within one window's length.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_api_key::clock::Timestamp;
    /// use tower_api_key::quota::{Counter, Quota};
    ///
    /// let quota = Quota::new("minute", 2, Duration::from_secs(60));
    /// let (taken_at, now) = (Timestamp::from_unix_seconds(1_000), Timestamp::from_unix_seconds(1_005));
    /// let mut counter = Counter::new(&quota);
    /// counter.charge(&quota, taken_at, 2);
    /// counter.refund(&quota, now, taken_at, 1);
    /// assert_eq!(counter.status(&quota, now).remaining(), 1);
    /// ```
    pub fn refund(&mut self, quota: &Quota, now: Timestamp, taken_at: Timestamp, cost: u32) {
        self.settle(quota, now);
        // After a clock was set back it is unknown what the counter still has of the cost.
        if taken_at > now || cost == 0 {
            return;
        }
        match &mut self.0 {
            CounterState::Fixed(window) => window.refund(quota, taken_at, cost),
            CounterState::Bucket(bucket) => bucket.refund(quota, now, taken_at, cost),
            CounterState::Sliding(window) => window.refund(taken_at, cost),
        }
    }

    /// Returns the requests left, and the time until all are back.
    pub fn status(&mut self, quota: &Quota, now: Timestamp) -> QuotaStatus {
        self.settle(quota, now);
        let (remaining, reset) = self.take(quota, now, 0);
        QuotaStatus::in_nanoseconds(quota.limit(), remaining, reset)
    }

    /// Takes a cost, which may be 0, from a counter that was settled at this instant. Returns the requests
    /// left, and the nanoseconds until all are back.
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
            CounterState::Bucket(bucket) => bucket.settle(quota, now),
            CounterState::Sliding(window) => window.settle(quota, now),
        }
    }

    /// Returns true if the counter counts as unused, so that it can be dropped.
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
    fn a_charge_counts_until_its_window_is_over() {
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
            // Charged without a call of `wait` before: a window that is over does not count on.
            let mut charged = counter.clone();
            charged.charge(&quota, then, 1);
            assert_eq!(charged.status(&quota, then).remaining(), 2, "{algorithm:?}");
            assert_eq!(counter.clone().status(&quota, then).remaining(), 3, "{algorithm:?}");
            assert_eq!(counter.wait(&quota, then, 3), None, "{algorithm:?}");
            assert!(counter.is_idle(then) && counter.status(&quota, then).remaining() == 3);
        }
    }

    #[test]
    fn a_refund_counts_in_the_window_of_its_request() {
        use Algorithm::{CalendarDay, FixedWindow, LeakyBucket, SlidingWindow};
        let start = Timestamp::from_unix_seconds(1_000_020);
        let at = |seconds| start.plus(Duration::from_secs(seconds));
        let midnight = 24 * 3_600 - 1_000_020 % (24 * 3_600);
        // Of 10 a minute, 4 are taken at once and 3 given back after some seconds.
        for (algorithm, after, left) in [
            (FixedWindow, 0, 9),
            (FixedWindow, 59, 9),
            (FixedWindow, 60, 10),
            (LeakyBucket, 0, 9),
            (LeakyBucket, 5, 9), // 5 s of 24 have drained, and 18 - 5 are given back
            (LeakyBucket, 18, 9),
            (SlidingWindow, 0, 9),
            (SlidingWindow, 64, 9),
            (SlidingWindow, 65, 10),
            (CalendarDay, midnight - 1, 9),
            (CalendarDay, midnight, 10),
        ] {
            let quota = Quota::new("q", 10, Duration::from_secs(60)).with_algorithm(algorithm);
            let mut counter = Counter::new(&quota);
            counter.charge(&quota, start, 4);
            counter.refund(&quota, at(after), start, 3);
            assert_eq!(
                counter.status(&quota, at(after)).remaining(),
                left,
                "{algorithm:?} {after}"
            );
        }
        // The window that follows owes nothing to a request of the one before.
        for (algorithm, next) in [(FixedWindow, 60), (SlidingWindow, 65), (CalendarDay, midnight)] {
            let quota = Quota::new("q", 10, Duration::from_secs(60)).with_algorithm(algorithm);
            let mut counter = Counter::new(&quota);
            counter.charge(&quota, start, 4);
            counter.charge(&quota, at(next), 2);
            counter.refund(&quota, at(next), start, 4);
            assert_eq!(counter.status(&quota, at(next)).remaining(), 8, "{algorithm:?}");
            // An instant in the future is one of a clock that was set back.
            counter.refund(&quota, at(next), at(next + 1), 1);
            assert_eq!(counter.status(&quota, at(next)).remaining(), 8, "{algorithm:?}");
        }
        // A window without requests is closed, and the next request opens another.
        let quota = Quota::new("q", 10, Duration::from_secs(60));
        let mut counter = Counter::new(&quota);
        counter.charge(&quota, start, 1);
        counter.refund(&quota, at(1), start, 1);
        assert!(counter.is_idle(at(1)));
        counter.charge(&quota, at(30), 1);
        assert_eq!(counter.status(&quota, at(89)).remaining(), 9);
    }

    #[test]
    fn a_count_beyond_all_numbers_gives_nothing_back() {
        let now = Timestamp::from_unix_seconds(5);
        for algorithm in Algorithm::ALL {
            let quota = Quota::new("most", u32::MAX, Duration::from_secs(60));
            let quota = quota.with_algorithm(algorithm);
            let mut counter = Counter::new(&quota);
            counter.charge(&quota, now, 50);
            counter.charge(&quota, now, u32::MAX);
            counter.refund(&quota, now, now, 50);
            assert_eq!(counter.status(&quota, now).remaining(), 0, "{algorithm:?}");
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
                    counter.refund(&quota, now, now, cost);
                    counter.status(&quota, now);
                }
                let last = Timestamp::from_unix_nanoseconds(u64::MAX);
                counter.wait(&quota, last, 1);
                assert!(counter.is_idle(last) || limit > 0 || seconds > 0);
            }
        }
    }
}
