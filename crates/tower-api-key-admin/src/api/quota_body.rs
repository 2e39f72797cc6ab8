//! Quotas in JSON.

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value, json};
use tower_api_key::quota::Quota;

use super::moment::whole;
use super::object::Object;
use super::schema;
use crate::management::{ManagementError, QuotaDraft};

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
        let QuotaDraft { name, limit, window_seconds, algorithm, per, shadow, on_limiter_failure } =
            QuotaDraft::of(quota);
        let window = quota.window();
        let whole = (window.subsec_nanos() == 0).then(|| window.as_secs().into());
        let window_seconds =
            window_seconds.and_then(|seconds| whole.or_else(|| Number::from_f64(seconds)));
        Self { name, limit, window_seconds, algorithm, per, shadow, on_limiter_failure }
    }

    pub(super) fn all_of(quotas: &[Quota]) -> Vec<Self> {
        quotas.iter().map(Self::of).collect()
    }

    /// Returns the quotas, unchecked: what cannot be counted is found when the key or account is built.
    pub(super) fn read_all(bodies: Vec<Object<Self>>) -> Result<Vec<Quota>, ManagementError> {
        bodies.into_iter().map(|Object(body)| body.quota()).collect()
    }

    fn quota(self) -> Result<Quota, ManagementError> {
        let Self { name, limit, algorithm, per, shadow, on_limiter_failure, .. } = self;
        let window_seconds = self.window_seconds.and_then(|seconds| seconds.as_f64());
        let draft =
            QuotaDraft { name, limit, window_seconds, algorithm, per, shadow, on_limiter_failure };
        draft.quota()
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
