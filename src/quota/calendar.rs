//! The day or month in UTC that an instant falls into.
//!
//! A day of Unix time has 86,400 seconds, with or without leap seconds. Months follow the Gregorian calendar.

use std::time::Duration;

use crate::clock::{Timestamp, date, first_day_of, is_leap_year};
use crate::quota::{Algorithm, Quota};

const SECONDS_A_DAY: u64 = 86_400;

/// A day or a month in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Period {
    /// The days from 1970-01-01 to the first day of the period.
    first_day: u64,
    days: u64,
}

impl Period {
    /// Returns the period that an instant falls into; `None` if the algorithm does not follow the calendar.
    pub(crate) const fn of(algorithm: Algorithm, now: Timestamp) -> Option<Self> {
        let day = now.unix_seconds() / SECONDS_A_DAY;
        match algorithm {
            Algorithm::CalendarDay => Some(Self { first_day: day, days: 1 }),
            Algorithm::CalendarMonth => Some(Self::month(day)),
            Algorithm::FixedWindow | Algorithm::LeakyBucket | Algorithm::SlidingWindow => None,
        }
    }

    const fn month(day: u64) -> Self {
        let (year, month, day_of_month) = date(day);
        let days = match month {
            // February of the year after the one that began in March.
            11 => 28 + is_leap_year(year + 1) as u64,
            _ => first_day_of(month + 1) - first_day_of(month),
        };
        Self { first_day: day - day_of_month, days }
    }

    /// Returns the instant at which the next period begins.
    pub(crate) const fn ends(self) -> Timestamp {
        Timestamp::from_unix_seconds((self.first_day + self.days) * SECONDS_A_DAY)
    }

    /// Returns the length of the period.
    const fn length(self) -> Duration {
        Duration::from_secs(self.days * SECONDS_A_DAY)
    }
}

/// Returns the length of a quota's window at an instant. The length of a month depends on the instant.
pub(crate) fn window_at(quota: &Quota, now: Timestamp) -> Duration {
    Period::of(quota.algorithm(), now).map_or(quota.window(), Period::length)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTHS: [u64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

    fn at(day: u64, second: u64) -> Timestamp {
        Timestamp::from_unix_seconds(day * SECONDS_A_DAY + second)
    }

    fn period(algorithm: Algorithm, now: Timestamp) -> Period {
        Period::of(algorithm, now).unwrap()
    }

    /// Counts days one by one, as a wall calendar does.
    #[test]
    fn every_day_of_four_hundred_years_falls_into_its_month() {
        let (mut first_day, mut years) = (0, 0);
        for year in 1970..2370 {
            let leap = year % 400 == 0 || year % 4 == 0 && year % 100 != 0;
            years += 1;
            for (month, length) in LENGTHS.into_iter().enumerate() {
                let days = if leap && month == 1 { 29 } else { length };
                for day in first_day..first_day + days {
                    for second in [0, 1, SECONDS_A_DAY - 1] {
                        let now = at(day, second);
                        let found = period(Algorithm::CalendarMonth, now);
                        assert_eq!(found, Period { first_day, days }, "{year}-{} {day}", month + 1);
                        assert_eq!(found.ends(), at(first_day + days, 0));
                        assert_eq!(period(Algorithm::CalendarDay, now).ends(), at(day + 1, 0));
                    }
                }
                first_day += days;
            }
        }
        assert_eq!((years, first_day), (400, 146_097), "a whole era was counted");
    }

    #[test]
    fn dates_that_a_calendar_shows() {
        for (seconds, month_ends) in [
            (0, 2_678_400),                 // 1970-01-01, 1970-02-01
            (951_782_400, 951_868_800),     // 2000-02-29, 2000-03-01
            (1_709_164_800, 1_709_251_200), // 2024-02-29, 2024-03-01
            (4_107_456_000, 4_107_542_400), // 2100-02-28, 2100-03-01
            (1_798_761_599, 1_798_761_600), // 2026-12-31T23:59:59, 2027-01-01
        ] {
            let now = Timestamp::from_unix_seconds(seconds);
            let ends = period(Algorithm::CalendarMonth, now).ends();
            assert_eq!(ends.unix_seconds(), month_ends, "{seconds}");
        }
    }

    #[test]
    fn the_last_instant_that_can_be_stated_ends_the_last_period() {
        for algorithm in [Algorithm::CalendarDay, Algorithm::CalendarMonth] {
            assert_eq!(period(algorithm, Timestamp::MAX).ends(), Timestamp::MAX);
        }
    }
}
