//! Quotas in JSON.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value, json};
use tower_api_key::quota::{Algorithm, Per, Quota};

use super::moment::whole;
use super::schema;
use crate::management::ManagementError;

/// The seconds of a day.
const DAY: u64 = 86_400;

/// A quota, as requests and answers have it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct QuotaBody {
    name: String,
    #[serde(deserialize_with = "whole")]
    limit: u32,
    #[serde(default)]
    window_seconds: Option<Number>,
    #[serde(default)]
    algorithm: Option<String>,
    #[serde(default)]
    per: Option<String>,
    #[serde(default)]
    shadow: bool,
    #[serde(default)]
    on_limiter_failure: Option<String>,
}

impl QuotaBody {
    pub(super) fn of(quota: &Quota) -> Self {
        let window = quota.window();
        let calendar =
            matches!(quota.algorithm(), Algorithm::CalendarDay | Algorithm::CalendarMonth);
        let seconds = if window.subsec_nanos() == 0 {
            Some(window.as_secs().into())
        } else {
            Number::from_f64(window.as_secs_f64())
        };
        Self {
            name: quota.name().to_owned(),
            limit: quota.limit(),
            window_seconds: seconds.filter(|_| !calendar),
            algorithm: Some(quota.algorithm().to_string()),
            per: Some(quota.per().to_string()),
            shadow: quota.is_in_shadow(),
            on_limiter_failure: quota.failure_choice().map(|choice| choice.to_string()),
        }
    }

    pub(super) fn all_of(quotas: &[Quota]) -> Vec<Self> {
        quotas.iter().map(Self::of).collect()
    }

    /// Returns the quotas, unchecked: what cannot be counted is found when the key or account is built.
    pub(super) fn read_all(bodies: Vec<Self>) -> Result<Vec<Quota>, ManagementError> {
        bodies.into_iter().map(Self::quota).collect()
    }

    fn quota(self) -> Result<Quota, ManagementError> {
        let invalid =
            |problem: &dyn ToString| ManagementError::invalid("quotas", problem.to_string());
        let algorithm: Option<Algorithm> = self
            .algorithm
            .as_deref()
            .map(str::parse)
            .transpose()
            .map_err(|error| invalid(&error))?;
        let calendar = matches!(algorithm, Some(Algorithm::CalendarDay | Algorithm::CalendarMonth));
        let window = match (self.window_seconds.and_then(|seconds| seconds.as_f64()), calendar) {
            // As `Quota::by_day` and `Quota::by_month` have it.
            (None, true) if algorithm == Some(Algorithm::CalendarDay) => Duration::from_secs(DAY),
            (None, true) => Duration::from_secs(31 * DAY),
            (Some(_), true) => {
                return Err(invalid(&"a calendar's quota has no `window_seconds`: leave it out"));
            }
            (None, false) => return Err(invalid(&"`window_seconds` is required")),
            (Some(seconds), false) => Duration::try_from_secs_f64(seconds)
                .map_err(|_| invalid(&"`window_seconds` must be a positive number"))?,
        };
        let mut quota = Quota::named(self.name, self.limit, window);
        if let Some(algorithm) = algorithm {
            quota = quota.with_algorithm(algorithm);
        }
        if let Some(per) = &self.per {
            quota = quota.with_per(per.parse::<Per>().map_err(|error| invalid(&error))?);
        }
        if let Some(choice) = &self.on_limiter_failure {
            quota = quota.with_failure_choice(choice.parse().map_err(|error| invalid(&error))?);
        }
        Ok(if self.shadow { quota.in_shadow() } else { quota })
    }

    /// Returns the schema of a quota in an answer.
    pub(super) fn view_schema() -> Value {
        let string = json!({ "type": "string" });
        schema::whole_view(json!({
            "name": string,
            "limit": { "type": "integer" },
            "window_seconds": { "type": ["number", "null"] },
            "algorithm": string,
            "per": string,
            "shadow": { "type": "boolean" },
            "on_limiter_failure": { "type": ["string", "null"] },
        }))
    }

    pub(super) fn schema() -> Value {
        let algorithms =
            ["fixed_window", "leaky_bucket", "sliding_window", "calendar_day", "calendar_month"];
        schema::body(
            &["name", "limit"],
            json!({
                "name": { "type": "string", "pattern": "^[a-z][a-z0-9_]{0,63}$", "example": "minute" },
                "limit": { "type": "integer", "minimum": 1, "maximum": 4_294_967_295_u32, "example": 100 },
                "window_seconds": {
                    "type": ["number", "null"], "minimum": 1, "maximum": 31_536_000, "example": 60,
                    "description": "Required, except for the calendar's algorithms.",
                },
                "algorithm": { "type": ["string", "null"], "enum": [algorithms[0], algorithms[1], algorithms[2], algorithms[3], algorithms[4], null] },
                "per": { "type": ["string", "null"], "enum": ["account", "key", null] },
                "shadow": { "type": "boolean" },
                "on_limiter_failure": {
                    "type": ["string", "null"], "pattern": "^(deny|allow|local/[1-9][0-9]{0,3})$",
                },
            }),
        )
    }
}
