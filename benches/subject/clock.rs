//! A clock that runs faster than the system's.

use tower_api_key::clock::{Clock, SystemClock, Timestamp};

/// Reads the system's clock and lets time run faster, so that quotas of a usual size last.
#[derive(Clone, Copy)]
pub(crate) struct Fast {
    start: Timestamp,
    speed: u64,
}

impl Fast {
    pub(crate) fn new(speed: u64) -> Self {
        Self { start: SystemClock.now(), speed }
    }
}

impl Clock for Fast {
    fn now(&self) -> Timestamp {
        let start = self.start.unix_nanoseconds();
        let passed = SystemClock.now().unix_nanoseconds() - start;
        Timestamp::from_unix_nanoseconds(start + passed * self.speed)
    }
}
