//! A circuit breaker: when to stop calls to a server that fails, and when to try again.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::backoff::Backoff;

/// The pauses before tries after a failure.
const TRIES: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));

/// A count of the calls that failed in a row, and of the tries since a call last succeeded.
#[derive(Debug)]
pub(super) struct Breaker {
    patience: u32,
    failures: AtomicU32,
    tries: AtomicU32,
}

impl Breaker {
    /// Creates a breaker that opens after this many failures in a row.
    pub(super) fn new(patience: u32) -> Self {
        Self { patience: patience.max(1), failures: AtomicU32::new(0), tries: AtomicU32::new(0) }
    }

    /// Called when the server answered a call.
    pub(super) fn succeeded(&self) {
        // Both are nearly always 0. Without a write, all threads keep sharing the cache line.
        if self.failures.load(Ordering::Relaxed) != 0 || self.tries.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Relaxed);
            self.tries.store(0, Ordering::Relaxed);
        }
    }

    /// Called when the server did not answer a call with so many questions. Returns true if no more calls should be made.
    /// After a try that connected, the first failure is enough.
    pub(super) fn failed(&self, questions: u32) -> bool {
        let failures =
            self.failures.fetch_add(questions, Ordering::Relaxed).saturating_add(questions);
        failures >= self.patience || self.tries.load(Ordering::Relaxed) != 0
    }

    /// Returns true if it counts failures: the last call failed, or no call has succeeded since a try.
    pub(super) fn counts_failures(&self) -> bool {
        self.failures.load(Ordering::Relaxed) != 0 || self.tries.load(Ordering::Relaxed) != 0
    }

    /// Returns the pause before the next try.
    pub(super) fn pause(&self) -> Duration {
        TRIES.pause(self.tries.fetch_add(1, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_failures_in_a_row_and_tries_less_and_less_often() {
        let breaker = Breaker::new(3);
        assert!(!breaker.counts_failures());
        assert!(!breaker.failed(1) && !breaker.failed(1));
        assert!(breaker.counts_failures());
        breaker.succeeded();
        assert!(!breaker.counts_failures());
        assert!(!breaker.failed(1) && !breaker.failed(1) && breaker.failed(1));
        breaker.succeeded();
        assert!(!breaker.failed(2) && breaker.failed(2), "each question counts");
        let pauses: Vec<u128> = (0..7).map(|_| breaker.pause().as_millis()).collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1_600, 2_000, 2_000]);
        breaker.succeeded();
        assert!(!breaker.failed(1));
        assert_eq!(breaker.pause(), TRIES.pause(0));
    }

    #[test]
    fn after_a_try_the_first_failure_suffices_until_a_call_succeeds() {
        let breaker = Breaker::new(3);
        breaker.pause();
        assert!(breaker.failed(1), "the server accepted a connection, and did not answer");
        // A server that started late: there was a try, and no call has failed.
        let breaker = Breaker::new(3);
        breaker.pause();
        breaker.succeeded();
        assert!(!breaker.failed(1) && !breaker.failed(1) && breaker.failed(1));
    }
}
