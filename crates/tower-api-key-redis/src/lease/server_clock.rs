//! The server's clock, as this node knows it from an answer.

use std::time::Duration;

use tokio::time::Instant;

/// The instant of an answer by the server's clock, and when the node asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct ServerClock {
    asked: Instant,
    /// Microseconds since 1970.
    at: u64,
}

impl ServerClock {
    /// Reads the server's clock from the answer to a question.
    pub(super) const fn new(asked: Instant, at: u64) -> Self {
        Self { asked, at }
    }

    /// Returns the instant by the server's clock after which the node no longer waits for an answer, in microseconds.
    /// It is never too early, because the server answered after it was asked.
    pub(super) fn until(&self, now: Instant, timeout: Duration) -> u64 {
        let ahead = now.saturating_duration_since(self.asked).saturating_add(timeout);
        self.at.saturating_add(u64::try_from(ahead.as_micros()).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_counts_from_the_question_before() {
        let asked = Instant::now();
        let clock = ServerClock::new(asked, 7_000_000);
        let timeout = Duration::from_millis(50);
        assert_eq!(clock.until(asked, timeout), 7_050_000);
        assert_eq!(clock.until(asked + Duration::from_secs(2), timeout), 9_050_000);
        assert_eq!(clock.until(asked, Duration::MAX), u64::MAX);
    }
}
