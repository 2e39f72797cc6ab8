//! Pauses between tries, each twice as long as the one before.

use std::time::Duration;

/// Counts failures in a row, and says how long to wait before the next try.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    /// Waits for `first` after one failure, and for `longest` at most.
    pub(crate) const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, next: first }
    }

    /// Returns how long to wait before the next try.
    pub(crate) fn pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(self.longest);
        pause
    }

    /// Begins again with the first pause, after a try that went well.
    pub(crate) const fn reset(&mut self) {
        self.next = self.first;
    }
}
