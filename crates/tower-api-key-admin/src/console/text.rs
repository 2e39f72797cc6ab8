//! Values as pages show them.

use std::time::Duration;

use tower_api_key::clock::{Timestamp, in_words};

/// The units of times, the longest first: seconds, and the words that name the unit.
const UNITS: [(u64, [&str; 3]); 4] = [
    (86_400, ["day", "days", "d"]),
    (3_600, ["hour", "hours", "h"]),
    (60, ["minute", "minutes", "min"]),
    (1, ["second", "seconds", "s"]),
];

/// Writes an instant in UTC, to the minute; "never" for none.
pub(super) fn moment(at: Option<Timestamp>) -> String {
    let Some(at) = at else { return "never".to_owned() };
    let text = at.to_string();
    match (text.get(..10), text.get(11..16)) {
        (Some(date), Some(time)) => format!("{date} {time} UTC"),
        _ => text,
    }
}

/// Writes the date of an instant in UTC, as fields of forms hold it; empty for none.
pub(super) fn date(at: Option<Timestamp>) -> String {
    let text = at.map(|at| at.to_string()).unwrap_or_default();
    text.get(..10).unwrap_or_default().to_owned()
}

/// Reads the first instant of a date in UTC.
pub(super) fn first_instant(date: &str) -> Option<Timestamp> {
    let date: jiff::civil::Date = date.parse().ok()?;
    let at: jiff::Timestamp = format!("{date}T00:00:00Z").parse().ok()?;
    u64::try_from(at.as_second()).ok().map(Timestamp::from_unix_seconds)
}

/// Reads a time as [`in_words`](tower_api_key::clock::in_words) writes it. A number without a unit counts days.
pub(super) fn read_span(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, name) = text.split_at_checked(digits)?;
    let (number, name) = (number.parse::<u64>().ok()?, name.trim());
    let named = UNITS.iter().find(|(_, names)| names.contains(&name)).map(|(seconds, _)| *seconds);
    let unit = named.or_else(|| name.is_empty().then_some(86_400))?;
    number.checked_mul(unit).map(Duration::from_secs)
}

/// Writes a time to wait in its two largest units, rounded up: after it, what was waited for has come.
pub(super) fn rough_span(time: Duration) -> String {
    let seconds = time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0));
    let largest = UNITS.iter().position(|(unit, _)| seconds >= *unit).unwrap_or(UNITS.len() - 1);
    let least = UNITS.get(largest + 1).map_or(1, |(unit, _)| *unit);
    // Rounding up may reach the next larger unit.
    let mut rest = seconds.div_ceil(least).saturating_mul(least);
    let mut parts = Vec::new();
    for (unit, [one, many, _]) in UNITS {
        let count = rest / unit;
        rest %= unit;
        if count > 0 {
            parts.push(format!("{count} {}", if count == 1 { one } else { many }));
        }
    }
    if parts.is_empty() { "0 seconds".to_owned() } else { parts.join(" ") }
}

/// Writes a window of whole seconds in its longest unit, and any other in seconds.
pub(super) fn window_text(seconds: f64) -> String {
    match Duration::try_from_secs_f64(seconds) {
        Ok(window) if window.subsec_nanos() == 0 => in_words(window),
        _ => seconds.to_string(),
    }
}

/// Reads a window in seconds: a number, or a time with its unit.
pub(super) fn read_window(text: &str) -> Option<f64> {
    text.parse().ok().or_else(|| read_span(text).map(|window| window.as_secs_f64()))
}

/// Joins words with spaces.
pub(super) fn joined(words: impl IntoIterator<Item = impl ToString>) -> String {
    words.into_iter().map(|word| word.to_string()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_they_are_written() {
        let at = Timestamp::from_unix_seconds(1_800_000_000);
        assert_eq!(moment(Some(at)), "2027-01-15 08:00 UTC");
        assert_eq!((moment(None), date(None)), ("never".to_owned(), String::new()));
        let day = first_instant(&date(Some(at))).unwrap();
        assert_eq!(day.to_string(), "2027-01-15T00:00:00Z");
        for wrong in ["", "2027-02-30", "tomorrow", "1969-12-31"] {
            assert!(first_instant(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_window_is_written_in_seconds_or_with_its_unit() {
        for (text, seconds) in
            [("60", 60.0), ("1.5", 1.5), ("1 minute", 60.0), ("2h", 7_200.0), ("1 day", 86_400.0)]
        {
            assert_eq!(read_window(text), Some(seconds), "{text}");
            assert_eq!(read_window(&window_text(seconds)), Some(seconds), "{text}");
        }
        assert_eq!((window_text(3_600.0), window_text(1.5)), ("1 hour".into(), "1.5".into()));
        for wrong in ["", "soon", "1 fortnight", "minute"] {
            assert_eq!(read_window(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_time_to_wait_has_two_units_and_is_rounded_up() {
        for (milliseconds, text) in [
            (0, "0 seconds"),
            (1, "1 second"),
            (59_001, "1 minute"),
            (61_000, "1 minute 1 second"),
            (3_599_500, "1 hour"),
            (17_889_000, "4 hours 59 minutes"),
            (18_000_000, "5 hours"),
            (86_399_000, "1 day"),
            (90_001_000, "1 day 2 hours"),
            (2_592_000_000, "30 days"),
            (2_671_200_001, "30 days 23 hours"),
            (2_674_800_001, "31 days"),
        ] {
            assert_eq!(rough_span(Duration::from_millis(milliseconds)), text, "{milliseconds}");
        }
        assert!(rough_span(Duration::MAX).contains(" days"));
    }

    #[test]
    fn times_are_read_as_they_are_written() {
        for (seconds, text) in [
            (0, "0 seconds"),
            (1, "1 second"),
            (90, "90 seconds"),
            (120, "2 minutes"),
            (3_600, "1 hour"),
            (86_400, "1 day"),
            (90_000, "25 hours"),
            (90 * 86_400, "90 days"),
        ] {
            let time = Duration::from_secs(seconds);
            assert_eq!((in_words(time), read_span(text)), (text.to_owned(), Some(time)));
        }
        for (text, days) in [("7", 7), (" 7 d", 7), ("7days", 7), ("48 h", 2)] {
            assert_eq!(read_span(text), Some(Duration::from_secs(days * 86_400)), "{text}");
        }
        for wrong in
            ["", "days", "-1", "1.5 days", "7 weeks", "1 d 2", "99999999999999999999", "７"]
        {
            assert_eq!(read_span(wrong), None, "{wrong}");
        }
    }
}
