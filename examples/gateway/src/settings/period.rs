//! A period of time as a file writes it.

use std::borrow::Cow;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// A period longer than zero, such as `500ms`, `30s` or `5m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period(Duration);

impl Period {
    /// Returns a period of whole milliseconds, at least one.
    pub const fn from_millis(milliseconds: u64) -> Self {
        Self(Duration::from_millis(if milliseconds == 0 { 1 } else { milliseconds }))
    }

    /// Returns a period of whole seconds, at least one.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(if seconds == 0 { 1 } else { seconds }))
    }

    /// Returns the length of the period.
    pub const fn get(self) -> Duration {
        self.0
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        let period = humantime::parse_duration(&text)
            .map_err(|_| D::Error::custom("not a period: write one as 500ms, 30s or 5m"))?;
        if period.is_zero() {
            return Err(D::Error::custom("a period must be longer than zero"));
        }
        Ok(Self(period))
    }
}

impl JsonSchema for Period {
    fn schema_name() -> Cow<'static, str> {
        "Period".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A period longer than zero",
            "examples": ["500ms", "30s", "5m"],
        })
    }
}
