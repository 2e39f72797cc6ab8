//! Lengths of time, as they stand in a file.

use std::borrow::Cow;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

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
        humantime::parse_duration(&text).map(Self).map_err(|_| problem)
    }
}

impl From<LengthOfTime> for String {
    fn from(span: LengthOfTime) -> Self {
        humantime::format_duration(span.0).to_string()
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
            "description": "A length of time: numbers and units, as `90s`, `1h 30m` or `250ms`.",
            "type": "string",
            "pattern": r"^\s*([0-9]+\s*[a-zA-Zµ]+\s*)+$",
            "examples": ["60s", "15m", "1h 30m", "250ms"],
        })
    }
}
