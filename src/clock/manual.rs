//! The clock of tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::{Clock, Timestamp, nanoseconds};

/// Stands still until a test moves it. Clones share one time.
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
/// Give a clone to the layer under test:
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::clock::{ManualClock, Timestamp};
/// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
///
/// let clock = ManualClock::starting_at(Timestamp::from_unix_seconds(1_000));
/// let builder = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new());
/// let layer = builder.clock(clock.clone()).build()?;
/// clock.advance(Duration::from_secs(60)); // the layer is now at 1,060 s
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct ManualClock(Arc<ManualTime>);

/// Both times of a manual clock, in nanoseconds.
#[derive(Debug, Default)]
struct ManualTime {
    wall: AtomicU64,
    steady: AtomicU64,
}

impl ManualClock {
    /// Creates a clock that stands at `start`.
    pub fn starting_at(start: Timestamp) -> Self {
        let clock = Self::default();
        clock.0.wall.store(start.0, Ordering::SeqCst);
        clock
    }

    /// Moves the clock forward, at most to [`Timestamp::MAX`].
    pub fn advance(&self, by: Duration) {
        for time in [&self.0.wall, &self.0.steady] {
            let later = |now: u64| Some(now.saturating_add(nanoseconds(by)));
            // The closure always returns `Some`, so this never fails.
            let _ = time.fetch_update(Ordering::SeqCst, Ordering::SeqCst, later);
        }
    }

    /// Sets the clock. If `to` is later than its time, that much time passes. If `to` is earlier, the clock
    /// is set back, and its [steady time](Clock::steady) stays as it is.
    pub fn set(&self, to: Timestamp) {
        let before = self.0.wall.swap(to.0, Ordering::SeqCst);
        self.0.steady.fetch_add(to.0.saturating_sub(before), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.wall.load(Ordering::SeqCst))
    }

    fn steady(&self) -> Duration {
        Duration::from_nanos(self.0.steady.load(Ordering::SeqCst))
    }

    fn exact_steady(&self) -> Duration {
        self.steady()
    }

    fn lag(&self) -> Duration {
        Duration::ZERO
    }
}
