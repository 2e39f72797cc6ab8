//! When to stop asking a server that fails, and when to try again.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::backoff::Backoff;

/// The pauses before tries after a failure.
const TRIES: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));

/// Counts calls that failed in a row, and the tries since a call last succeeded.
#[derive(Debug)]
pub(super) struct Breaker {
    patience: u32,
    failures: AtomicU32,
    tries: AtomicU32,
}

impl Breaker {
    /// Creates a breaker that opens after so many failures in a row.
    pub(super) fn new(patience: u32) -> Self {
        Self { patience: patience.max(1), failures: AtomicU32::new(0), tries: AtomicU32::new(0) }
    }

    /// Notes that a call was answered.
    pub(super) fn succeeded(&self) {
        // Nearly always there is nothing to forget, and a line that all threads read stays shared.
        if self.failures.load(Ordering::Relaxed) != 0 || self.tries.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Relaxed);
            self.tries.store(0, Ordering::Relaxed);
        }
    }

    /// Notes that a call was not answered, and tells whether no more should be made. After a try that
    /// went well the first failure suffices.
    pub(super) fn failed(&self) -> bool {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        failures >= self.patience || self.tries.load(Ordering::Relaxed) != 0
    }

    /// Returns how long to wait before the next try.
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
        assert!(!breaker.failed() && !breaker.failed());
        breaker.succeeded();
        assert!(!breaker.failed() && !breaker.failed() && breaker.failed());
        let pauses: Vec<u128> = (0..7).map(|_| breaker.pause().as_millis()).collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1_600, 2_000, 2_000]);
        breaker.succeeded();
        assert!(!breaker.failed());
        assert_eq!(breaker.pause(), TRIES.pause(0));
    }

    #[test]
    fn after_a_try_the_first_failure_suffices_until_a_call_succeeds() {
        let breaker = Breaker::new(3);
        breaker.pause();
        assert!(breaker.failed(), "what could be connected to did not answer");
        // As where the server came later: it was tried, and no call has failed.
        let breaker = Breaker::new(3);
        breaker.pause();
        breaker.succeeded();
        assert!(!breaker.failed() && !breaker.failed() && breaker.failed());
    }
}
