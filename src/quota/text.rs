//! Quotas as text, as people write them on a command line.

use std::fmt;

use super::{Algorithm, Per, Quota};

impl fmt::Display for Quota {
    /// Writes the quota as `NAME=LIMIT/WINDOW`, then `:ALGORITHM`, `@PER`, `+shadow` and `+FAILURE` where they are not
    /// the defaults. The window is in seconds.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_api_key::quota::{Algorithm, Per, Quota};
    ///
    /// let minute = Quota::new("minute", 100, Duration::from_secs(60));
    /// assert_eq!(minute.to_string(), "minute=100/60s");
    /// let own = minute.with_algorithm(Algorithm::LeakyBucket).with_per(Per::Key);
    /// assert_eq!(own.to_string(), "minute=100/60s:leaky_bucket@key");
    /// ```
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}={}/", self.name(), self.limit())?;
        match self.algorithm() {
            calendar @ (Algorithm::CalendarDay | Algorithm::CalendarMonth) => {
                write!(formatter, "{calendar}")?;
            }
            algorithm => {
                let window = self.window();
                write!(formatter, "{}", window.as_secs())?;
                if window.subsec_nanos() > 0 {
                    let digits = format!("{:09}", window.subsec_nanos());
                    write!(formatter, ".{}", digits.trim_end_matches('0'))?;
                }
                formatter.write_str("s")?;
                if algorithm != Algorithm::FixedWindow {
                    write!(formatter, ":{algorithm}")?;
                }
            }
        }
        if self.per() != Per::Account {
            write!(formatter, "@{}", self.per())?;
        }
        if self.is_in_shadow() {
            formatter.write_str("+shadow")?;
        }
        match self.failure_choice() {
            Some(choice) => write!(formatter, "+{choice}"),
            None => Ok(()),
        }
    }
}
