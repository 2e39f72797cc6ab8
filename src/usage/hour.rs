//! An hour of UTC, in which requests are counted.

use std::time::Duration;

use crate::clock::{Timestamp, date};

const SECONDS: u64 = 3_600;
const HOURS_A_DAY: u64 = 24;

/// An hour, as the number of hours since 1970 in UTC.
///
/// ```
/// use tower_api_key::clock::Timestamp;
/// use tower_api_key::usage::UsageHour;
///
/// let hour = UsageHour::of(Timestamp::from_unix_seconds(1_700_000_000));
/// assert_eq!(hour.start().to_string(), "2023-11-14T22:00:00Z");
/// assert_eq!(hour.day().start().to_string(), "2023-11-14T00:00:00Z");
/// assert_eq!(hour.month().start().to_string(), "2023-11-01T00:00:00Z");
/// assert_eq!(hour.next_month().start().to_string(), "2023-12-01T00:00:00Z");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UsageHour(u64);

impl UsageHour {
    /// Returns the hour in which an instant lies.
    pub const fn of(at: Timestamp) -> Self {
        Self(at.unix_seconds() / SECONDS)
    }

    /// Returns the first hour that begins at an instant or after it.
    pub const fn from_start(at: Timestamp) -> Self {
        let hour = Self::of(at);
        if hour.start().since(at).is_zero() && at.since(hour.start()).is_zero() {
            hour
        } else {
            Self(hour.0 + 1)
        }
    }

    /// Converts a number of hours since 1970.
    pub const fn from_number(hours: u64) -> Self {
        Self(hours)
    }

    /// Returns the number of hours since 1970.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// Returns the first instant of the hour.
    pub const fn start(self) -> Timestamp {
        Timestamp::from_unix_seconds(self.0.saturating_mul(SECONDS))
    }

    /// Returns the first hour of the day.
    pub const fn day(self) -> Self {
        Self(self.0 - self.0 % HOURS_A_DAY)
    }

    /// Returns the first hour of the month.
    pub const fn month(self) -> Self {
        let day = self.0 / HOURS_A_DAY;
        let (_, _, day_of_month) = date(day);
        Self((day - day_of_month) * HOURS_A_DAY)
    }

    /// Returns the first hour of the next month.
    pub const fn next_month(self) -> Self {
        // 31 days after the first of a month lies in the next month.
        Self(self.month().0 + 31 * HOURS_A_DAY).month()
    }

    /// Returns the hour that is a duration earlier, at the earliest the first of 1970.
    pub const fn earlier(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(by.as_secs() / SECONDS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_begin_on_their_first_day() {
        let hour = |seconds| UsageHour::of(Timestamp::from_unix_seconds(seconds));
        for (seconds, month, next) in [
            (0, "1970-01-01", "1970-02-01"),
            (951_868_799, "2000-02-01", "2000-03-01"), // the last second of a leap day
            (951_868_800, "2000-03-01", "2000-04-01"),
            (1_704_067_199, "2023-12-01", "2024-01-01"),
            (1_704_067_200, "2024-01-01", "2024-02-01"),
            (4_107_542_400, "2100-03-01", "2100-04-01"), // no leap year
        ] {
            let day = |hour: UsageHour| hour.start().to_string()[..10].to_owned();
            assert_eq!(day(hour(seconds).month()), month, "{seconds}");
            assert_eq!(day(hour(seconds).next_month()), next, "{seconds}");
        }
    }

    #[test]
    fn an_instant_is_rounded_up_to_the_hour_that_begins_then() {
        let at = Timestamp::from_unix_seconds;
        assert_eq!(UsageHour::from_start(at(3_600)).number(), 1);
        assert_eq!(UsageHour::from_start(at(3_601)).number(), 2);
        assert_eq!(UsageHour::from_start(at(3_600).plus(Duration::from_nanos(1))).number(), 2);
        assert_eq!(UsageHour::of(at(7_199)).number(), 1);
    }
}
