//! What is left of a quota.

use std::fmt;
use std::time::Duration;

use super::leaky_bucket::interval;
use crate::clock::nanoseconds;
use crate::quota::{Algorithm, Quota};

/// What is left of one quota.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::quota::QuotaStatus;
///
/// let status = QuotaStatus::new(100, 40, Duration::from_secs(30));
/// assert_eq!(status.remaining(), 40);
/// assert_eq!(status.reset_after(), Duration::from_secs(30)); // until all 100 are back
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct QuotaStatus {
    /// The limit in the upper half, what remains in the lower: one word (see `verdict_facts.rs`).
    left: u64,
    // A `Duration` is twice as large, and verdicts are often copied.
    pub(super) reset_nanoseconds: u64,
}

impl QuotaStatus {
    /// Creates a status from the limit, the requests left, and the time until all are back.
    pub const fn new(limit: u32, remaining: u32, reset_after: Duration) -> Self {
        Self::in_nanoseconds(limit, remaining, nanoseconds(reset_after))
    }

    pub(crate) const fn in_nanoseconds(limit: u32, remaining: u32, reset_nanoseconds: u64) -> Self {
        Self { left: (limit as u64) << u32::BITS | remaining as u64, reset_nanoseconds }
    }

    /// Returns the requests allowed in a window.
    pub const fn limit(&self) -> u32 {
        (self.left >> u32::BITS) as u32
    }

    /// Returns the requests left.
    #[expect(clippy::cast_possible_truncation, reason = "the lower half of the word is a `u32`")]
    pub const fn remaining(&self) -> u32 {
        self.left as u32
    }

    /// Returns the time until all of the limit is back.
    pub const fn reset_after(&self) -> Duration {
        Duration::from_nanos(self.reset_nanoseconds)
    }

    /// Returns the used part of the limit, from 0.0 for none of it to 1.0 for all of it.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_api_key::quota::QuotaStatus;
    ///
    /// let status = QuotaStatus::new(100, 15, Duration::from_secs(30));
    /// assert_eq!(status.used_fraction(), 0.85);
    /// ```
    pub fn used_fraction(&self) -> f64 {
        match self.limit() {
            0 => 1.0,
            limit => f64::from(limit.saturating_sub(self.remaining())) / f64::from(limit),
        }
    }

    /// Returns true if at least this part of the limit is used: `0.8` for four fifths.
    /// [`Grant::limits`](crate::Grant::limits) has an example.
    pub fn is_near_limit(&self, fraction: f64) -> bool {
        self.used_fraction() >= fraction
    }

    /// Returns the time until one more request is left. For a sliding window this time is not known, so the
    /// method returns the time until all requests are back.
    pub(crate) fn more_after(&self, quota: &Quota) -> Duration {
        // A bucket drains one request after the other.
        let before = match quota.algorithm() {
            Algorithm::LeakyBucket => {
                self.limit().saturating_sub(self.remaining()).saturating_sub(1)
            }
            Algorithm::FixedWindow
            | Algorithm::SlidingWindow
            | Algorithm::CalendarDay
            | Algorithm::CalendarMonth => 0,
        };
        let drained = interval(quota).saturating_mul(u64::from(before));
        Duration::from_nanos(self.reset_nanoseconds.saturating_sub(drained))
    }
}

impl fmt::Debug for QuotaStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("QuotaStatus")
            .field("limit", &self.limit())
            .field("remaining", &self.remaining())
            .field("reset_after", &self.reset_after())
            .finish()
    }
}

/// Returns a duration in whole seconds, rounded up, as `Retry-After` and `RateLimit-Reset` need it.
pub(crate) const fn whole_seconds(duration: Duration) -> u64 {
    let seconds = duration.as_secs();
    if duration.subsec_nanos() > 0 { seconds.saturating_add(1) } else { seconds }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(remaining: u32, seconds: u64) -> QuotaStatus {
        QuotaStatus::new(10, remaining, Duration::from_secs(seconds))
    }

    #[test]
    fn a_bucket_has_more_as_soon_as_one_has_drained() {
        let minute = Quota::new("minute", 10, Duration::from_secs(60));
        let bucket = minute.clone().with_algorithm(Algorithm::LeakyBucket);
        for (remaining, reset, more) in [(10, 0, 0), (9, 6, 6), (9, 1, 1), (0, 60, 6), (0, 55, 1)] {
            let status = status(remaining, reset);
            assert_eq!(status.more_after(&bucket), Duration::from_secs(more), "{status:?}");
            assert_eq!(status.more_after(&minute), status.reset_after());
        }
    }

    #[test]
    fn a_limit_is_near_from_its_fraction_on() {
        for (limit, remaining, used, near) in [
            (10, 10, 0.0, false),
            (10, 3, 0.7, false),
            (10, 2, 0.8, true),
            (10, 0, 1.0, true),
            (4, 9, 0.0, false),
            (0, 0, 1.0, true),
        ] {
            let status = QuotaStatus::new(limit, remaining, Duration::ZERO);
            assert!((status.used_fraction() - used).abs() < 1e-9, "{status:?}");
            assert_eq!(status.is_near_limit(0.8), near, "{status:?}");
            assert!(status.is_near_limit(0.0) && !status.is_near_limit(1.1));
        }
    }

    #[test]
    fn seconds_are_rounded_up() {
        for (nanoseconds, seconds) in [(0, 0), (1, 1), (1_000_000_000, 1), (1_000_000_001, 2)] {
            assert_eq!(whole_seconds(Duration::from_nanos(nanoseconds)), seconds);
        }
    }
}
