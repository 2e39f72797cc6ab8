//! Instants, as they stand in a file.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// An instant in a file: `2027-06-30`, which is the beginning of that day in UTC, or `2027-06-30T12:00:00Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct InstantText(Timestamp);

impl InstantText {
    pub(super) const fn instant(self) -> Timestamp {
        self.0
    }
}

impl TryFrom<String> for InstantText {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let problem = "this is no instant: write a day as \"2027-06-30\", or an instant in UTC as \
            \"2027-06-30T12:00:00Z\"";
        let text = if text.contains('T') { text } else { text + "T00:00:00Z" };
        let instant = humantime::parse_rfc3339(&text).map_err(|_| problem)?;
        Ok(Self(instant.into()))
    }
}

impl From<InstantText> for String {
    fn from(text: InstantText) -> Self {
        let instant = Duration::from_nanos(text.0.unix_nanoseconds());
        humantime::format_rfc3339(SystemTime::UNIX_EPOCH + instant).to_string()
    }
}

impl JsonSchema for InstantText {
    fn schema_name() -> Cow<'static, str> {
        "Instant".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An instant in UTC: a day as \"2027-06-30\", which is its beginning, or \
                \"2027-06-30T12:00:00Z\".",
            "type": "string",
            "pattern": "^\\d{4}-\\d{2}-\\d{2}(T\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?Z)?$"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_a_day_or_a_time_in_utc() {
        let read = |text: &str| InstantText::try_from(text.to_owned()).ok();
        for (text, seconds) in [
            ("2027-06-30", Some(1_814_313_600)),
            ("2027-06-30T00:00:00Z", Some(1_814_313_600)),
            ("2027-06-30T00:00:01Z", Some(1_814_313_601)),
            ("2027-06-31", None),
            ("2027-06-30T00:00:00+02:00", None),
            ("2027-06-30 12:00:00", None),
            ("tomorrow", None),
            ("", None),
        ] {
            let instant = read(text).map(InstantText::instant);
            assert_eq!(instant, seconds.map(Timestamp::from_unix_seconds), "{text}");
        }
        let day = read("2027-06-30").unwrap();
        assert_eq!(read(&String::from(day)), Some(day), "it is read as it is written");
    }
}
