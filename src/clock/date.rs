//! Instants as dates of the Gregorian calendar.
//!
//! Months are counted in eras of 400 years that begin on the first of March, so that a leap day is the last day of a year.
//! Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.

use std::fmt;

use super::Timestamp;

const SECONDS_A_DAY: u64 = 86_400;

/// The days from the first of March of the year 0 to the first of January 1970.
const DAYS_BEFORE_EPOCH: u64 = 719_468;

const DAYS_AN_ERA: u64 = 146_097;

/// Returns the date of a day since 1970-01-01: the year, which begins in March, the month and the day of the month. 0 is
/// March, and the first day of a month.
pub(crate) const fn date(day: u64) -> (u64, u64, u64) {
    let day = day + DAYS_BEFORE_EPOCH;
    let (era, day_of_era) = (day / DAYS_AN_ERA, day % DAYS_AN_ERA);
    // Subtracts the leap days that came before.
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524
        - day_of_era / (DAYS_AN_ERA - 1))
        / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    (era * 400 + year_of_era, month, day_of_year - first_day_of(month))
}

/// Returns the first day of a month, as a day of a year that begins in March. Days and months count from 0. The
/// line rounds to months of 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 and 31 days.
pub(crate) const fn first_day_of(month: u64) -> u64 {
    (153 * month + 2) / 5
}

impl fmt::Display for Timestamp {
    /// Writes the instant as RFC 3339 does, in UTC. The fraction of a second has up to nine digits, and is left out if it
    /// is zero.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (day, seconds) =
            (self.unix_seconds() / SECONDS_A_DAY, self.unix_seconds() % SECONDS_A_DAY);
        let (year, month, day) = date(day);
        let (month, year) = if month < 10 { (month + 3, year) } else { (month - 9, year + 1) };
        let (day, hour) = (day + 1, seconds / 3_600);
        let (minute, second) = (seconds / 60 % 60, seconds % 60);
        write!(formatter, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        let fraction = self.unix_nanoseconds() % super::NANOSECONDS_PER_SECOND;
        if fraction > 0 {
            let digits = format!("{fraction:09}");
            write!(formatter, ".{}", digits.trim_end_matches('0'))?;
        }
        formatter.write_str("Z")
    }
}

#[cfg(test)]
mod tests {
    use super::super::Timestamp;

    /// As GNU `date -u -d @SECONDS +%FT%TZ` prints them.
    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (1_800_000_000, "2027-01-15T08:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (18_446_744_073, "2554-07-21T23:34:33Z"),
        ] {
            assert_eq!(Timestamp::from_unix_seconds(seconds).to_string(), expected);
        }
    }

    #[test]
    fn fractions_of_a_second_are_shown_if_there_are_any() {
        for (nanoseconds, expected) in [
            (1, "1970-01-01T00:00:00.000000001Z"),
            (1_500_000_000, "1970-01-01T00:00:01.5Z"),
            (u64::MAX, "2554-07-21T23:34:33.709551615Z"),
        ] {
            assert_eq!(Timestamp::from_unix_nanoseconds(nanoseconds).to_string(), expected);
        }
    }
}
