//! Instants as dates.

use crate::clock::Timestamp;
use crate::quota::date;

const DAY: u64 = 86_400;

/// Writes an instant as RFC 3339 does, in UTC and whole seconds.
pub(super) fn rfc3339(instant: Timestamp) -> String {
    let (day, seconds) = (instant.unix_seconds() / DAY, instant.unix_seconds() % DAY);
    let (year, month, day) = date(day);
    let (month, year) = if month < 10 { (month + 3, year) } else { (month - 9, year + 1) };
    let (day, hour) = (day + 1, seconds / 3_600);
    let (minute, second) = (seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(rfc3339(Timestamp::from_unix_seconds(seconds)), expected);
        }
    }
}
