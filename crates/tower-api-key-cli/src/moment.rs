//! Points in time and durations, as people write them.

use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;
use tower_api_key::clock::{Clock, SystemClock, Timestamp};

/// A point in time: `2027-01-31T12:00:00Z`, `2027-01-31` in UTC, `in 90 days`, or `90 days ago`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment(pub(crate) Timestamp);

/// A length of time: `90 days`, `12h`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span(pub(crate) Duration);

const MOMENT: &str =
    "expected a time such as 2027-01-31T12:00:00Z, 2027-01-31 (in UTC) or \"in 90 days\"";
const YEARS: &str = "the time must be between the years 1970 and 2261";
/// The characters of a date.
const DATE: usize = 10;
const SPAN: &str = "expected a duration such as \"2 days\" or 12h";

// The errors are texts of our own, because the parser's would quote its input.
impl FromStr for Moment {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(span) = text.strip_prefix("in ") {
            let Span(span) = span.parse().map_err(|_| MOMENT)?;
            return Self::kept(SystemClock.now().plus(span));
        }
        if let Some(span) = text.strip_suffix(" ago") {
            let Span(span) = span.parse().map_err(|_| MOMENT)?;
            let now = SystemClock.now().unix_nanoseconds();
            let span = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
            return Ok(Self(Timestamp::from_unix_nanoseconds(now.saturating_sub(span))));
        }
        let moment = match text.len() {
            DATE => format!("{text}T00:00:00Z").parse(),
            _ => text.parse::<jiff::Timestamp>(),
        };
        let moment = moment.map_err(|_| MOMENT)?;
        let nanoseconds = u64::try_from(moment.as_nanosecond()).map_err(|_| YEARS)?;
        Self::kept(Timestamp::from_unix_nanoseconds(nanoseconds))
    }
}

impl Moment {
    /// Checks that databases keep an instant: they count nanoseconds in 64 bits with a sign.
    fn kept(at: Timestamp) -> Result<Self, &'static str> {
        let is_kept = i64::try_from(at.unix_nanoseconds()).is_ok();
        if is_kept { Ok(Self(at)) } else { Err(YEARS) }
    }
}

impl FromStr for Span {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let span: jiff::Span = text.parse().map_err(|_| SPAN)?;
        // A day is 24 hours, because keys have no time zone.
        let total = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours());
        let positive = |span: SignedDuration| Duration::try_from(span).ok();
        positive(total.map_err(|_| SPAN)?).map(Self).ok_or("the duration must not be negative")
    }
}

/// Writes a point in time in UTC, to the second.
pub(crate) fn text(moment: Timestamp) -> String {
    let seconds = i64::try_from(moment.unix_seconds()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds).map_or_else(|_| "never".to_owned(), |at| at.to_string())
}

/// Writes a length of time in the largest unit of which it is a whole number, as [`Span`] reads it.
pub(crate) fn span_text(span: Duration) -> String {
    let seconds = span.as_secs();
    let units = [(86_400, "d"), (3_600, "h"), (60, "m")];
    let whole = units.into_iter().find(|(unit, _)| seconds.is_multiple_of(*unit));
    let (unit, name) = whole.unwrap_or((1, "s"));
    format!("{}{name}", seconds / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_spans_are_read() {
        let Moment(at) = "2027-01-31T12:00:00Z".parse().unwrap();
        assert_eq!(text(at), "2027-01-31T12:00:00Z");
        for (written, seconds) in [("90 days", 90 * 86_400), ("12h", 43_200), ("1 week", 604_800)] {
            let Span(span) = written.parse().unwrap();
            assert_eq!(span.as_secs(), seconds, "{written}");
        }
        for written in ["90d", "36h", "61m", "61s"] {
            let Span(span) = written.parse().unwrap();
            assert_eq!(span_text(span), written);
        }
        assert!("-1 day".parse::<Span>().is_err() && "soon".parse::<Moment>().is_err());
        let Moment(day) = "2027-01-31".parse().unwrap();
        assert_eq!(text(day), "2027-01-31T00:00:00Z");
        for wrong in ["2027-02-30", "2027-1-31", "31.01.2027", "2027-01-3"] {
            assert!(wrong.parse::<Moment>().is_err(), "{wrong}");
        }
        let Moment(soon) = "in 1 hour".parse().unwrap();
        assert!(soon > SystemClock.now());
        let Moment(past) = "1 hour ago".parse().unwrap();
        assert!(past < SystemClock.now());
        assert!("-1 hour ago".parse::<Moment>().is_err() && " ago".parse::<Moment>().is_err());
        // A database would keep another instant.
        assert!("2261-12-31".parse::<Moment>().is_ok());
        for wrong in ["2262-12-31", "2553-01-01", "9999-12-31", "1969-12-31", "in 300 years"] {
            assert!(wrong.parse::<Moment>().is_err(), "{wrong}");
        }
    }
}
