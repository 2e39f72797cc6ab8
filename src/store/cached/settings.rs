//! The settings of a cache.

use std::sync::Arc;
use std::time::Duration;

use super::observer::CacheObserver;
use crate::clock::{Clock, SystemClock};

/// The numbers of a cache, and its clock.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) staleness: Duration,
    pub(super) grace: Duration,
    pub(super) unknown_for: Duration,
    pub(super) refresh_after: Duration,
    pub(super) timeout: Duration,
    pub(super) capacity: usize,
    pub(super) unknown_capacity: usize,
    pub(super) most_lookups: usize,
    pub(super) clock: Arc<dyn Clock>,
    /// How far a reading of the clock may be behind.
    pub(super) lag: Duration,
    pub(super) observer: Option<Arc<dyn CacheObserver>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            staleness: Duration::from_secs(5),
            grace: Duration::ZERO,
            unknown_for: Duration::from_secs(1),
            refresh_after: Duration::from_secs(3_600),
            timeout: Duration::from_secs(2),
            capacity: 100_000,
            unknown_capacity: 10_000,
            most_lookups: 1_000,
            clock: Arc::new(SystemClock),
            lag: SystemClock.lag(),
            observer: None,
        }
    }
}
