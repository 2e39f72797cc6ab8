//! Quotas, as they stand in a file.

use std::borrow::Cow;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::duration::LengthOfTime;
use super::names::names;
use super::read::{Contradiction, Path};
use crate::quota::{Algorithm, OnLimiterFailure, Per, Quota, Quotas};

/// A limit of requests in a window.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct QuotaTable {
    name: String,
    /// In requests.
    limit: u32,
    /// Absent for a calendar day or month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    window: Option<LengthOfTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    algorithm: Option<AlgorithmName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    per: Option<PerName>,
    /// Counts, and refuses nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    shadow: bool,
    /// What happens while the limiter cannot answer; else the limiter's own choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    on_failure: Option<FailureChoice>,
}

names! {
    /// The algorithm that counts.
    enum AlgorithmName of Algorithm {
        FixedWindow,
        LeakyBucket,
        SlidingWindow,
        CalendarDay,
        CalendarMonth,
    }
}

names! {
    /// Whose requests count together.
    enum PerName of Per {
        Account,
        Key,
    }
}

/// `deny`, `allow`, or `local/NODES`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(in crate::config) struct FailureChoice(pub(in crate::config) OnLimiterFailure);

impl TryFrom<String> for FailureChoice {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map(Self).map_err(|error: crate::error::UnknownName| error.to_string())
    }
}

impl From<FailureChoice> for String {
    fn from(choice: FailureChoice) -> Self {
        choice.0.to_string()
    }
}

impl JsonSchema for FailureChoice {
    fn schema_name() -> Cow<'static, str> {
        "FailureChoice".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "What happens while the limiter cannot answer.",
            "type": "string",
            "pattern": "^(deny|allow|local/[1-9][0-9]*)$",
            "examples": ["deny", "allow", "local/4"],
        })
    }
}

impl QuotaTable {
    pub(super) fn is_named(&self, name: &str) -> bool {
        self.name == name
    }

    pub(super) fn describe(&self, path: &Path) -> Result<Quota, Contradiction> {
        let algorithm = self.algorithm.map(AlgorithmName::describe).unwrap_or_default();
        let window = match (self.window, algorithm.period()) {
            (None, None) => {
                let problem = "the field `window` is missing: write its length, as \"60s\"";
                return Err(Contradiction::new(path.clone(), &problem));
            }
            (Some(_), Some(_)) => {
                let problem =
                    "the calendar is the window: remove this field, or choose another `algorithm`";
                return Err(Contradiction::new(path.field("window"), &problem));
            }
            (window, _) => window.map_or(Duration::ZERO, LengthOfTime::duration),
        };
        let per = self.per.map(PerName::describe).unwrap_or_default();
        let mut quota =
            Quota::named(&self.name, self.limit, window).with_algorithm(algorithm).with_per(per);
        if self.shadow {
            quota = quota.in_shadow();
        }
        if let Some(FailureChoice(choice)) = self.on_failure {
            quota = quota.with_failure_choice(choice);
        }
        quota.check().map_err(|problem| Contradiction::new(path.clone(), &problem))?;
        Ok(quota)
    }

    pub(super) fn of(quota: &Quota) -> Self {
        let (algorithm, per) = (quota.algorithm(), quota.per());
        let has_window = algorithm.period().is_none();
        Self {
            name: quota.name().to_owned(),
            limit: quota.limit(),
            window: has_window.then(|| quota.window().into()),
            algorithm: (algorithm != Algorithm::default()).then(|| AlgorithmName::of(algorithm)),
            per: (per != Per::default()).then(|| PerName::of(per)),
            shadow: quota.is_in_shadow(),
            on_failure: quota.failure_choice().map(FailureChoice),
        }
    }
}

/// Describes the quotas of a list.
pub(super) fn describe_all(
    quotas: &[QuotaTable],
    path: &Path,
) -> Result<Vec<Quota>, Contradiction> {
    let numbered = quotas.iter().enumerate();
    let described: Result<Vec<Quota>, _> =
        numbered.map(|(index, quota)| quota.describe(&path.item(index))).collect();
    let described = described?;
    for length in 1..=described.len() {
        let first = described.get(..length).unwrap_or_default();
        Quotas::new(first.iter().cloned())
            .map_err(|problem| Contradiction::new(path.item(length - 1), &problem))?;
    }
    Ok(described)
}
