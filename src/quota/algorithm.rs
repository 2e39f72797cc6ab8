//! The algorithms that count requests, and whose requests a quota counts together.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::error::UnknownName;

/// The number of parts of a sliding window, 12. A sliding window may refuse a request for up to one part
/// longer than it must.
pub const SUBWINDOWS: u32 = 12;

pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);
pub(crate) const LONGEST_MONTH: Duration = Duration::from_secs(31 * 24 * 3600);

/// The algorithm by which a quota counts requests.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::clock::Timestamp;
/// use tower_api_key::quota::{Algorithm, Counter, Quota};
///
/// let now = Timestamp::from_unix_seconds(1_000);
/// let wait_after_a_burst = |algorithm| {
///     let quota = Quota::new("minute", 60, Duration::from_secs(60)).with_algorithm(algorithm);
///     let mut counter = Counter::new(&quota);
///     counter.charge(&quota, now, 60);
///     counter.wait(&quota, now, 1).map(|wait| wait.as_secs())
/// };
/// assert_eq!(wait_after_a_burst(Algorithm::FixedWindow), Some(60));
/// assert_eq!(wait_after_a_burst(Algorithm::LeakyBucket), Some(1));
/// ```
///
/// `Display` and `FromStr` use the same names as databases, Redis and the command line:
///
/// ```
/// use tower_api_key::quota::Algorithm;
///
/// assert_eq!(Algorithm::LeakyBucket.to_string(), "leaky_bucket");
/// assert_eq!("calendar_day".parse(), Ok(Algorithm::CalendarDay));
/// ```
///
/// The enum is exhaustive, so that a limiter in another crate must count every algorithm. A new algorithm is a
/// breaking change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Algorithm {
    /// A window of fixed length. The first request after the last window ended opens it. `remaining` and
    /// `reset` are exact. Around a boundary at most `2 × limit - 1` requests pass in one window's length.
    /// One opens the window. The rest come at its end and right after it.
    #[default]
    FixedWindow,
    /// The generic cell rate algorithm (ITU-T I.371): a leaky bucket that holds `limit` requests, and drains
    /// evenly over the window. At most `2 × limit` requests pass in one window's length: a full burst, and
    /// what drains in the meantime.
    LeakyBucket,
    /// A window that always ends now. At most `limit` requests pass in any span of the window's length. It
    /// counts in [`SUBWINDOWS`] parts, so it may refuse a request for up to one twelfth of the window
    /// longer than it must.
    SlidingWindow,
    /// A window that ends at midnight, UTC. At most `limit` requests pass a day. Around midnight, up to twice
    /// as many can pass within a moment.
    CalendarDay,
    /// A window that ends with the calendar month, UTC. At most `limit` requests pass a month. Around its
    /// end, up to twice as many can pass within a moment.
    CalendarMonth,
}

impl Algorithm {
    /// All algorithms.
    pub const ALL: [Self; 5] = [
        Self::FixedWindow,
        Self::LeakyBucket,
        Self::SlidingWindow,
        Self::CalendarDay,
        Self::CalendarMonth,
    ];

    /// Returns the name, as `Display` writes it and `FromStr` reads it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FixedWindow => "fixed_window",
            Self::LeakyBucket => "leaky_bucket",
            Self::SlidingWindow => "sliding_window",
            Self::CalendarDay => "calendar_day",
            Self::CalendarMonth => "calendar_month",
        }
    }

    /// Returns the longest window of a calendar algorithm; `None` if the quota sets the length of its windows.
    pub(crate) const fn period(self) -> Option<Duration> {
        match self {
            Self::FixedWindow | Self::LeakyBucket | Self::SlidingWindow => None,
            Self::CalendarDay => Some(DAY),
            Self::CalendarMonth => Some(LONGEST_MONTH),
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name).ok_or(UnknownName::new(
            "algorithm",
            "`fixed_window`, `leaky_bucket`, `sliding_window`, `calendar_day` or `calendar_month`",
        ))
    }
}

/// Whose requests a quota counts together.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::quota::{Per, Quota};
///
/// let shared = Quota::new("minute", 100, Duration::from_secs(60));
/// let own = shared.clone().with_per(Per::Key); // 100 for each key, however many the account has
/// assert_eq!((shared.per(), own.per()), (Per::Account, Per::Key));
/// assert!(!shared.shares_counter(&own));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Per {
    /// The requests of all keys of an account.
    #[default]
    Account,
    /// The requests of each key.
    Key,
}

impl fmt::Display for Per {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Account => "account",
            Self::Key => "key",
        })
    }
}

impl FromStr for Per {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        match name {
            "account" => Ok(Self::Account),
            "key" => Ok(Self::Key),
            _ => Err(UnknownName::new("subject of a quota", "`account` or `key`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_they_are_read() {
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
        }
        for per in [Per::Account, Per::Key] {
            assert_eq!(per.to_string().parse(), Ok(per));
        }
        for unknown in ["", "Key", "leaky-bucket", "fixed", " key"] {
            assert!(unknown.parse::<Algorithm>().is_err() && unknown.parse::<Per>().is_err());
        }
    }
}
