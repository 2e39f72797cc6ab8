//! Clocks. Only this module of the crate reads the time.
//!
//! A gate decides on one reading of its clock, so key lifetimes and request limits are judged at the
//! same instant. It reads the clock again after a request has waited in a queue. The reading is
//! wall-clock time, because a key's expiry is a date, and a suspended machine must not postpone it.
//!
//! A wall clock can be set back, so the limits tolerate that: a window never ends later than its own
//! length from now.

mod date;
mod manual;
mod words;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

#[cfg(target_os = "linux")]
use rustix::time::{ClockId, clock_gettime};

pub(crate) use date::{date, first_day_of};
pub use manual::ManualClock;
pub use words::in_words;

const NANOSECONDS_PER_SECOND: u64 = 1_000_000_000;

/// Holds an instant in nanoseconds since the Unix epoch, up to the year 2554.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::clock::Timestamp;
///
/// let start = Timestamp::from_unix_seconds(1_700_000_000);
/// assert_eq!(start.plus(Duration::from_secs(60)).since(start), Duration::from_secs(60));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The last instant, in the year 2554. A key with this expiry never expires.
    pub const MAX: Self = Self(u64::MAX);

    /// Converts seconds since the Unix epoch. A date past the year 2554 becomes [`MAX`](Self::MAX).
    pub const fn from_unix_seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(NANOSECONDS_PER_SECOND))
    }

    /// Converts nanoseconds since the Unix epoch.
    pub const fn from_unix_nanoseconds(nanoseconds: u64) -> Self {
        Self(nanoseconds)
    }

    /// Returns whole seconds since the Unix epoch, rounded down.
    pub const fn unix_seconds(self) -> u64 {
        self.0 / NANOSECONDS_PER_SECOND
    }

    /// Returns nanoseconds since the Unix epoch.
    pub const fn unix_nanoseconds(self) -> u64 {
        self.0
    }

    /// Adds a duration, up to [`MAX`](Self::MAX).
    pub const fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(nanoseconds(duration)))
    }

    /// Returns the time since `earlier`; zero if `earlier` is later than this instant.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Timestamp {
    /// Adds nanoseconds, up to [`MAX`](Self::MAX). Limiters count in nanoseconds, because each
    /// `Duration` costs a division.
    pub const fn plus_nanoseconds(self, nanoseconds: u64) -> Self {
        Self(self.0.saturating_add(nanoseconds))
    }

    /// Returns the nanoseconds since `earlier`; zero if `earlier` is later than this instant.
    pub const fn nanoseconds_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl From<SystemTime> for Timestamp {
    /// Converts a wall-clock time. A time before 1970 becomes the epoch.
    fn from(time: SystemTime) -> Self {
        Self(nanoseconds(time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()))
    }
}

/// Returns a duration in nanoseconds, at most `u64::MAX`.
pub(crate) const fn nanoseconds(duration: Duration) -> u64 {
    duration
        .as_secs()
        .saturating_mul(NANOSECONDS_PER_SECOND)
        .saturating_add(duration.subsec_nanos() as u64)
}

/// Returns true for a leap year of the Gregorian calendar.
pub(crate) const fn is_leap_year(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// Provides the current time.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::clock::{Clock, SystemClock, Timestamp};
///
/// /// Corrects the clock of a machine that is slow by a known time.
/// struct Corrected(Duration);
///
/// impl Clock for Corrected {
///     fn now(&self) -> Timestamp {
///         SystemClock.now().plus(self.0)
///     }
/// }
/// assert!(Corrected(Duration::from_secs(2)).now() > SystemClock.now());
/// ```
pub trait Clock: Send + Sync + 'static {
    /// Returns the present instant.
    fn now(&self) -> Timestamp;

    /// Returns how far a reading may be behind the present instant, as with a clock that moves in
    /// ticks.
    ///
    /// Code that promises an upper bound for a duration ends it earlier by this much. The default is
    /// the lag of [`SystemClock`].
    fn lag(&self) -> Duration {
        SystemClock.lag()
    }

    /// Returns the time since a fixed instant in the past. It goes on while the wall clock is set back or
    /// forward, and may stand still while the machine is suspended. It may be behind by the
    /// [lag](Self::lag).
    ///
    /// Code that measures an age takes the longer one of both clocks. The default is the steady time of
    /// [`SystemClock`].
    fn steady(&self) -> Duration {
        SystemClock.steady()
    }

    /// Returns [`steady`](Self::steady) without a lag. The reading may be slower. The default is the exact
    /// steady time of [`SystemClock`].
    fn exact_steady(&self) -> Duration {
        SystemClock.exact_steady()
    }
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }

    fn lag(&self) -> Duration {
        (**self).lag()
    }

    fn steady(&self) -> Duration {
        (**self).steady()
    }

    fn exact_steady(&self) -> Duration {
        (**self).exact_steady()
    }
}

/// Reads the operating system's wall clock.
///
/// On Linux this is the coarse clock (`CLOCK_REALTIME_COARSE`). A reading takes 3 ns instead of 30 ns,
/// and lags by up to one tick of the kernel, 1 to 10 ms. That does not matter for a window of a second
/// or more.
///
/// An instant of `SystemTime::now()` may be ahead by as much. So if a new key must be valid at once,
/// take its `not_before` from this clock.
///
/// ```
/// use tower_api_key::clock::{Clock, SystemClock, Timestamp};
///
/// let in_2020 = Timestamp::from_unix_seconds(1_600_000_000);
/// assert!(SystemClock.now() > in_2020);
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[cfg(target_os = "linux")]
    fn now(&self) -> Timestamp {
        let time = clock_gettime(ClockId::RealtimeCoarse);
        // A clock before 1970 was never set. Its seconds become the epoch.
        let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
        let nanoseconds = u64::try_from(time.tv_nsec).unwrap_or(0);
        Timestamp::from_unix_seconds(seconds).plus_nanoseconds(nanoseconds)
    }

    #[cfg(not(target_os = "linux"))]
    fn now(&self) -> Timestamp {
        SystemTime::now().into()
    }

    #[cfg(target_os = "linux")]
    fn lag(&self) -> Duration {
        duration(rustix::time::clock_getres(ClockId::RealtimeCoarse))
    }

    #[cfg(not(target_os = "linux"))]
    fn lag(&self) -> Duration {
        Duration::ZERO
    }

    #[cfg(target_os = "linux")]
    fn steady(&self) -> Duration {
        duration(clock_gettime(ClockId::MonotonicCoarse))
    }

    #[cfg(target_os = "linux")]
    fn exact_steady(&self) -> Duration {
        duration(clock_gettime(ClockId::Monotonic))
    }

    #[cfg(not(target_os = "linux"))]
    fn steady(&self) -> Duration {
        self.exact_steady()
    }

    #[cfg(not(target_os = "linux"))]
    fn exact_steady(&self) -> Duration {
        static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
        START.get_or_init(std::time::Instant::now).elapsed()
    }
}

/// Converts a reading of a clock that never is before its start.
#[cfg(target_os = "linux")]
fn duration(time: rustix::time::Timespec) -> Duration {
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), nanoseconds)
}
