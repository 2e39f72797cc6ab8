//! Pauses between tries, each twice as long as the one before.

use std::time::Duration;

/// Says how long to wait before the next try.
#[derive(Debug, Clone, Copy)]
pub(super) struct Backoff {
    first: Duration,
    longest: Duration,
}

impl Backoff {
    /// Waits for `first` before the first try, and for `longest` at most.
    pub(super) const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest }
    }

    /// Returns how long to wait after this many tries.
    pub(super) fn pause(self, tries: u32) -> Duration {
        self.first.saturating_mul(1 << tries.min(16)).min(self.longest)
    }
}
