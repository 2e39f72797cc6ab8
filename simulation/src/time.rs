//! Virtual time: the timers of tokio's paused clock, and the clocks of machines.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tower_api_key::clock::{Clock, Timestamp};

/// The time of a simulation, in milliseconds since it began.
#[derive(Debug, Clone, Copy)]
pub struct Time(Instant);

impl Time {
    /// The wall-clock time at which every simulation begins.
    pub const BEGINNING: Timestamp = Timestamp::from_unix_seconds(1_795_600_020);

    /// Begins a simulation now. The runtime's clock must be paused.
    pub fn begin() -> Self {
        Self(Instant::now())
    }

    /// Returns the milliseconds since the beginning.
    pub fn now(self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Returns the present instant of a clock that is right.
    pub fn wall(self) -> Timestamp {
        Self::BEGINNING.plus(self.0.elapsed())
    }

    /// Waits until an instant.
    pub async fn reach(self, milliseconds: u64) {
        tokio::time::sleep_until(self.0 + Duration::from_millis(milliseconds)).await;
    }
}

/// The clock of a machine, which runs fast or slow and is set at times.
#[derive(Debug, Clone)]
pub struct DriftingClock {
    time: Time,
    /// How much faster than right it runs, in millionths.
    drift: i64,
    /// The instants at which it is set, and by how many milliseconds.
    steps: Arc<[(u64, i64)]>,
}

impl DriftingClock {
    /// Creates a clock.
    pub fn new(time: Time, drift: i64, steps: Arc<[(u64, i64)]>) -> Self {
        Self { time, drift, steps }
    }
}

impl DriftingClock {
    /// Returns the nanoseconds that have passed by this clock.
    fn passed(&self) -> u64 {
        let right = i64::try_from(self.time.0.elapsed().as_nanos()).unwrap_or(i64::MAX);
        u64::try_from(right + right / 1_000_000 * self.drift).unwrap_or(0)
    }
}

impl Clock for DriftingClock {
    fn now(&self) -> Timestamp {
        let at = self.time.now();
        let set: i64 = self.steps.iter().filter(|step| step.0 <= at).map(|step| step.1).sum();
        // A second ahead, so that no clock reads a time before the beginning.
        let ahead = Duration::from_millis(u64::try_from(1_000 + set).unwrap_or(0));
        Time::BEGINNING.plus_nanoseconds(self.passed()).plus(ahead)
    }

    fn lag(&self) -> Duration {
        Duration::ZERO
    }

    fn steady(&self) -> Duration {
        Duration::from_nanos(self.passed())
    }

    fn exact_steady(&self) -> Duration {
        self.steady()
    }
}
