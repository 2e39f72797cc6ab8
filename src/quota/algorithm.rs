//! How a quota is counted, and for whom.

use std::time::Duration;

/// Counts the parts that a sliding window is counted in: it may refuse up to one of them too long.
pub const SUBWINDOWS: u32 = 12;

pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);
pub(crate) const LONGEST_MONTH: Duration = Duration::from_secs(31 * 24 * 3600);

/// Chooses how a quota is counted.
///
/// ```
/// # use std::time::Duration;
/// # use tower_api_key::clock::Timestamp;
/// use tower_api_key::quota::{Algorithm, Counter, Quota};
///
/// # let now = Timestamp::from_unix_seconds(1_000);
/// let wait_after_a_burst = |algorithm| {
///     let quota = Quota::new("minute", 60, Duration::from_secs(60)).with_algorithm(algorithm);
///     let mut counter = Counter::new(&quota);
///     counter.charge(&quota, now, 60);
///     counter.wait(&quota, now, 1).unwrap().as_secs()
/// };
/// assert_eq!(wait_after_a_burst(Algorithm::FixedWindow), 60);
/// assert_eq!(wait_after_a_burst(Algorithm::LeakyBucket), 1);
/// ```
///
/// The list is complete, so that a limiter of another crate must count every algorithm: a new one is a
/// breaking change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Algorithm {
    /// A window of fixed length, opened by the first request after the last one ended. Remaining
    /// and reset are exact. Around a boundary at most `2 × limit - 1` requests pass in one window's
    /// length: one opens the window, and the rest come at its end and right after it.
    #[default]
    FixedWindow,
    /// The generic cell rate algorithm, a leaky bucket that holds `limit` requests and drains
    /// evenly over the window (ITU-T I.371). A full burst plus the drained rate can pass in one
    /// window's length: at most `2 × limit`.
    LeakyBucket,
    /// Never more than `limit` in any span of the window's length. Counted in [`SUBWINDOWS`] parts,
    /// so a request may be refused up to one twelfth of the window longer than it must.
    SlidingWindow,
    /// A window that ends at midnight, UTC. Exactly `limit` a day; around midnight twice as many can
    /// pass within a moment.
    CalendarDay,
    /// A window that ends with the month, UTC. Exactly `limit` a month; around its end twice as many
    /// can pass within a moment.
    CalendarMonth,
}

impl Algorithm {
    /// Lists all algorithms.
    pub const ALL: [Self; 5] = [
        Self::FixedWindow,
        Self::LeakyBucket,
        Self::SlidingWindow,
        Self::CalendarDay,
        Self::CalendarMonth,
    ];

    /// Returns the longest window of a calendar's; `None` if a quota says how long its windows are.
    pub(crate) const fn period(self) -> Option<Duration> {
        match self {
            Self::FixedWindow | Self::LeakyBucket | Self::SlidingWindow => None,
            Self::CalendarDay => Some(DAY),
            Self::CalendarMonth => Some(LONGEST_MONTH),
        }
    }
}

/// Chooses whose requests a quota counts together.
///
/// ```
/// # use std::time::Duration;
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
    /// All keys of the account together.
    #[default]
    Account,
    /// Each key for itself.
    Key,
}
