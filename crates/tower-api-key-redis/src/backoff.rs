//! Pauses between tries, each twice as long as the one before.

use std::time::Duration;

/// The pauses before tries.
#[derive(Debug, Clone, Copy)]
pub(super) struct Backoff {
    first: Duration,
    longest: Duration,
}

impl Backoff {
    /// Creates pauses that begin with `first`, and are at most `longest`.
    pub(super) const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest }
    }

    /// Returns the pause after this many tries.
    pub(super) fn pause(self, tries: u32) -> Duration {
        self.first.saturating_mul(1 << tries.min(16)).min(self.longest)
    }
}
