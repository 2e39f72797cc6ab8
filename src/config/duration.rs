//! Lengths of time, as they stand in a file.

use std::borrow::Cow;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// The units of a file. A month or a year has no one length.
const UNITS: [&str; 18] = [
    "ns", "us", "ms", "s", "sec", "secs", "m", "min", "mins", "h", "hour", "hours", "d", "day",
    "days", "w", "week", "weeks",
];

/// A length of time in a file, as `90s`, `1h 30m` or `250ms`.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::config::LengthOfTime;
///
/// let length = LengthOfTime::try_from("1m 30s".to_owned())?;
/// assert_eq!(length.duration(), Duration::from_secs(90));
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct LengthOfTime(Duration);

impl LengthOfTime {
    /// Returns the length.
    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl TryFrom<String> for LengthOfTime {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let problem = "this is no length of time: write a number and a unit, as \"60s\", \"15m\", \"1h 30m\" or \"250ms\"";
        // `M` would be a month, which is meant as minutes more often.
        let mut units = text.split(|it: char| it.is_ascii_digit() || it.is_whitespace());
        if !units.all(|unit| unit.is_empty() || UNITS.contains(&unit)) {
            return Err(problem);
        }
        humantime::parse_duration(&text).map(Self).map_err(|_| problem)
    }
}

impl From<LengthOfTime> for String {
    fn from(span: LengthOfTime) -> Self {
        let seconds = span.0.as_secs();
        let nanos = span.0.subsec_nanos();
        let parts = [
            (seconds / 86_400, "d"),
            (seconds / 3_600 % 24, "h"),
            (seconds / 60 % 60, "m"),
            (seconds % 60, "s"),
            (u64::from(nanos / 1_000_000), "ms"),
            (u64::from(nanos / 1_000 % 1_000), "us"),
            (u64::from(nanos % 1_000), "ns"),
        ];
        let parts = parts.iter().filter(|(number, _)| *number > 0);
        let written: Vec<String> = parts.map(|(number, unit)| format!("{number}{unit}")).collect();
        if written.is_empty() { "0s".to_owned() } else { written.join(" ") }
    }
}

impl From<Duration> for LengthOfTime {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

impl JsonSchema for LengthOfTime {
    fn schema_name() -> Cow<'static, str> {
        "LengthOfTime".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A length of time: numbers and units, as `90s`, `1h 30m` or `250ms`. The units are `ns`, `us`, `ms`, `s`, `m`, `h`, `d` and `w`.",
            "type": "string",
            "pattern": r"^\s*([0-9]+\s*(ns|us|ms|s|secs?|m|mins?|h|hours?|d|days?|w|weeks?)\s*)+$",
            "examples": ["60s", "15m", "1h 30m", "250ms"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_has_units_of_one_meaning() {
        for (text, millis) in [
            ("15m", Some(900_000)),
            ("1h 30m", Some(5_400_000)),
            ("1 hour 2min 3 secs", Some(3_723_000)),
            ("2w", Some(1_209_600_000)),
            ("250ms", Some(250)),
            ("1000000ns 1000us", Some(2)),
            ("15M", None),
            ("1 month", None),
            ("1y", None),
            ("1H", None),
            ("1.5h", None),
            ("5", None),
            ("m", None),
            ("1 m s", None),
            ("99999999999999999999s", None),
            ("9999999999999999999w", None),
            ("", None),
        ] {
            let read = LengthOfTime::try_from(text.to_owned()).ok();
            assert_eq!(
                read.map(LengthOfTime::duration),
                millis.map(Duration::from_millis),
                "{text}"
            );
        }
    }

    #[test]
    fn a_length_is_read_as_it_is_written() {
        for (length, text) in [
            (Duration::ZERO, "0s"),
            (Duration::from_secs(90), "1m 30s"),
            (Duration::from_secs(400 * 86_400), "400d"),
            (Duration::new(3_600, 1_002_003), "1h 1ms 2us 3ns"),
        ] {
            let written = String::from(LengthOfTime::from(length));
            assert_eq!(written, text);
            assert_eq!(LengthOfTime::try_from(written).map(LengthOfTime::duration), Ok(length));
        }
    }
}
