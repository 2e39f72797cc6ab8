//! Asks what time it is, and nothing else in the crate does.
//!
//! Key lifetimes and request limits share one reading per request, so a decision is made at one
//! instant. The reading is wall-clock time: a key's expiry is a date, and a suspended machine must
//! not stretch it. Wall clocks step, so the limit arithmetic tolerates a clock that runs
//! backwards: a window never ends later than its own length from now.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

const NANOSECONDS_PER_SECOND: u64 = 1_000_000_000;

/// Marks an instant, in nanoseconds since the Unix epoch (valid until the year 2554).
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
    /// Marks the last instant that can be stated; as the end of a key's life it means never.
    pub const MAX: Self = Self(u64::MAX);

    /// Converts seconds since the Unix epoch; a date past the year 2554 becomes the last one.
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

    /// Adds a duration, stopping at the last representable instant.
    pub const fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(nanoseconds(duration)))
    }

    /// Returns the time passed since `earlier`, zero if `earlier` lies ahead.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Timestamp {
    /// Adds nanoseconds, up to the last instant there is. Limiters count in nanoseconds: each
    /// `Duration` costs a division.
    pub const fn plus_nanoseconds(self, nanoseconds: u64) -> Self {
        Self(self.0.saturating_add(nanoseconds))
    }

    /// Returns the nanoseconds passed since `earlier`, zero if `earlier` lies ahead.
    pub const fn nanoseconds_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl From<SystemTime> for Timestamp {
    /// Converts a wall-clock time; one before 1970 becomes the epoch.
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

/// Tells the time.
///
/// ```
/// use tower_api_key::clock::{Clock, SystemClock, Timestamp};
///
/// /// Knows the time a little better than the machine it runs on.
/// struct Corrected(std::time::Duration);
///
/// impl Clock for Corrected {
///     fn now(&self) -> Timestamp {
///         SystemClock.now().plus(self.0)
///     }
/// }
/// # let (before, corrected) = (SystemClock.now(), Corrected(std::time::Duration::from_secs(2)));
/// # assert!(corrected.now().since(before).as_secs() >= 2);
/// ```
pub trait Clock: Send + Sync + 'static {
    /// Returns the present instant.
    fn now(&self) -> Timestamp;

    /// Returns by how much a reading may be behind the present instant, as that of a clock that moves in
    /// ticks is: the lag of [`SystemClock`] unless a clock says otherwise. Whoever promises that something
    /// lasts no longer than a time ends it earlier by as much.
    fn lag(&self) -> Duration {
        SystemClock.lag()
    }
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }

    fn lag(&self) -> Duration {
        (**self).lag()
    }
}

/// Reads the operating system's wall clock. On Linux that is its coarse reading
/// (`CLOCK_REALTIME_COARSE`), which takes 3 ns instead of 30 and lags by up to a tick of the kernel, 1 to
/// 10 ms: nothing beside a window of a second or more. An instant of `SystemTime::now()` may lie that far
/// ahead, so take a key's first instant from here if it is to serve at once.
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
        let time = rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse);
        // A clock before 1970 is one that was never set; whole seconds of it become the epoch.
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
        let tick = rustix::time::clock_getres(rustix::time::ClockId::RealtimeCoarse);
        let seconds = u64::try_from(tick.tv_sec).unwrap_or(0);
        Duration::from_secs(seconds)
            + Duration::from_nanos(u64::try_from(tick.tv_nsec).unwrap_or(0))
    }

    #[cfg(not(target_os = "linux"))]
    fn lag(&self) -> Duration {
        Duration::ZERO
    }
}

/// Stands still until a test moves it; clones share one time.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::clock::{Clock, ManualClock, Timestamp};
///
/// let clock = ManualClock::starting_at(Timestamp::from_unix_seconds(1_000));
/// clock.advance(Duration::from_secs(5));
/// assert_eq!(clock.now().unix_seconds(), 1_005);
/// ```
///
/// A gate that reads it:
///
/// ```
/// # use bytes::Bytes;
/// # use http::{Request, Response};
/// # use http_body_util::Full;
/// # use tower::{Layer, ServiceExt, service_fn};
/// # use tower_api_key::key::{Account, KeyHasher, KeyRecord};
/// # use tower_api_key::{ApiKeyLayer, store::MemoryStore, vendors};
/// # use std::time::Duration;
/// use tower_api_key::clock::{ManualClock, Timestamp};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let store = MemoryStore::new();
/// # let acme = Account::builder("acme").build()?;
/// let clock = ManualClock::starting_at(Timestamp::from_unix_seconds(1_000));
/// let record = KeyRecord::builder("key_1", acme).expires(Timestamp::from_unix_seconds(1_060));
/// # store.add_now(KeyHasher::sha256().digest(b"0123456789abcdef"), record.build()?);
/// # let builder = ApiKeyLayer::builder(vendors::REST_INTEGRATIONS, store).without_limits();
/// # let builder = builder.assume_https();
/// let layer = builder.clock(clock.clone()).build()?;
/// # let service = layer.layer(service_fn(|_: Request<()>| async {
/// #     Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::default()))
/// # }));
/// # let request = Request::get("/").header("authorization", "Bearer 0123456789abcdef").body(())?;
/// assert_eq!(service.clone().oneshot(request.clone()).await?.status(), 200);
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(service.oneshot(request).await?.status(), 401);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    /// Creates a clock that shows `start`.
    pub fn starting_at(start: Timestamp) -> Self {
        Self(Arc::new(AtomicU64::new(start.0)))
    }

    /// Moves the clock forward, at most to [`Timestamp::MAX`].
    pub fn advance(&self, by: Duration) {
        let later = |now: u64| Some(now.saturating_add(nanoseconds(by)));
        // Some number comes of every number, so this never fails.
        let _ = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, later);
    }

    /// Sets the clock, backwards too.
    pub fn set(&self, to: Timestamp) {
        self.0.store(to.0, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }

    fn lag(&self) -> Duration {
        Duration::ZERO
    }
}
