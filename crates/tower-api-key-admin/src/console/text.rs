//! Values as pages show them.

use tower_api_key::clock::Timestamp;

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
}
