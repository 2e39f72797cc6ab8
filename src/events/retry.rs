//! When a failed delivery is tried again.

use std::time::Duration;

/// The waits between the tries of a delivery, in seconds: those that the Standard Webhooks specification proposes.
const STANDARD: &[u64] = &[5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// The longest wait that a receiver may ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(86_400);

/// When a failed delivery is tried again, and how often.
///
/// By default there are 10 tries over 75 hours: at once, then after 5 seconds, 5 minutes, 30 minutes, 2, 5, 10, 14, 20 and
/// 24 hours. Each wait is longer or shorter by up to 10 %, so that receivers do not get all retries at once.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::events::RetrySchedule;
///
/// let schedule = RetrySchedule::default();
/// assert_eq!(schedule.tries(), 10);
/// let second = schedule.wait(1, None, 0.5).expect("there is a second try");
/// assert_eq!(second, Duration::from_secs(5));
/// assert_eq!(schedule.wait(10, None, 0.5), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetrySchedule(Vec<Duration>);

impl RetrySchedule {
    /// Creates a schedule from the waits after the first try, the second try, and so on. Without waits there is one try.
    pub fn new(waits: impl IntoIterator<Item = Duration>) -> Self {
        Self(waits.into_iter().collect())
    }

    /// Returns how often an event is sent before it is a dead letter.
    pub fn tries(&self) -> usize {
        self.0.len() + 1
    }

    /// Returns how long to wait after a number of failed tries; `None` after the last. `asked` is the wait that the
    /// receiver asked for, of which at most a day counts. `random` is between 0 and 1, and moves the wait by up to 10 %.
    pub fn wait(&self, failed: usize, asked: Option<Duration>, random: f64) -> Option<Duration> {
        let wait = self.0.get(failed.checked_sub(1)?)?;
        let wait = wait.mul_f64(0.9 + 0.2 * random.clamp(0.0, 1.0));
        Some(asked.map_or(wait, |asked| wait.max(asked.min(LONGEST_ASKED))))
    }
}

impl Default for RetrySchedule {
    fn default() -> Self {
        Self::new(STANDARD.iter().copied().map(Duration::from_secs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_moves_by_a_tenth_and_grows_if_asked() {
        let schedule = RetrySchedule::new([Duration::from_secs(10)]);
        let wait =
            |asked: Option<u64>, random| schedule.wait(1, asked.map(Duration::from_secs), random);
        assert_eq!(wait(None, 0.0), Some(Duration::from_secs(9)));
        assert_eq!(wait(None, 1.0), Some(Duration::from_secs(11)));
        assert_eq!(wait(Some(60), 0.5), Some(Duration::from_secs(60)));
        assert_eq!(wait(Some(1), 0.5), Some(Duration::from_secs(10)));
        assert_eq!(wait(Some(u64::MAX), 0.5), Some(LONGEST_ASKED));
        assert_eq!((schedule.wait(0, None, 0.5), schedule.wait(2, None, 0.5)), (None, None));
    }

    #[test]
    fn the_default_schedule_takes_75_hours() {
        assert_eq!(STANDARD.iter().sum::<u64>() / 3_600, 75);
    }
}
