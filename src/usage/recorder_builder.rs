//! The builder of a recorder.

use std::sync::Arc;
use std::time::Duration;

use super::recorder::UsageRecorder;
use crate::clock::{Clock, SystemClock};

/// The time between two batches, unless set.
const BETWEEN_BATCHES: Duration = Duration::from_secs(5);

/// The shortest time between two batches.
const SHORTEST: Duration = Duration::from_millis(100);

/// The most counts in memory, unless set.
const MOST_CELLS: usize = 65_536;

/// Collects the settings of a [`UsageRecorder`].
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::usage::UsageRecorder;
///
/// let usage = UsageRecorder::builder().write_every(Duration::from_secs(2)).max_cells(10_000).build();
/// assert_eq!(usage.overflowed(), 0);
/// ```
pub struct UsageRecorderBuilder {
    pub(super) every: Duration,
    pub(super) most: usize,
    pub(super) clock: Arc<dyn Clock>,
}

impl UsageRecorderBuilder {
    pub(super) fn new() -> Self {
        Self { every: BETWEEN_BATCHES, most: MOST_CELLS, clock: Arc::new(SystemClock) }
    }

    /// Sets the time between two batches: 5 seconds unless set, and at least 100 ms. A process that crashes loses what it counted in that
    /// time, and in the time that a write takes.
    pub fn write_every(self, time: Duration) -> Self {
        Self { every: time.max(SHORTEST), ..self }
    }

    /// Sets the most counts in memory, of distinct hours, keys, routes and decisions: 65,536 unless set. A count takes
    /// about 200 bytes. While a batch is written, the memory holds as many again. Threads count apart, so one key may
    /// need up to 8 counts.
    pub fn max_cells(self, cells: usize) -> Self {
        Self { most: cells, ..self }
    }

    /// Sets the clock for the hour of requests that were counted without key and route. The hour of all others is that
    /// of the gate's clock.
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Builds the recorder.
    pub fn build(self) -> UsageRecorder {
        UsageRecorder::of(self)
    }
}
