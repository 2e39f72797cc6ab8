//! A period of time as a file writes it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use tower_api_key::config::LengthOfTime;

/// A period longer than zero, such as `500ms`, `30s` or `5m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "LengthOfTime")]
#[schemars(with = "LengthOfTime")]
pub struct Period(Duration);

impl Period {
    /// Returns a period of whole seconds, at least one.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(if seconds == 0 { 1 } else { seconds }))
    }

    /// Returns the length of the period.
    pub const fn get(self) -> Duration {
        self.0
    }
}

impl TryFrom<LengthOfTime> for Period {
    type Error = &'static str;

    fn try_from(length: LengthOfTime) -> Result<Self, Self::Error> {
        match length.duration() {
            Duration::ZERO => Err("a length of time here must be longer than zero"),
            length => Ok(Self(length)),
        }
    }
}
