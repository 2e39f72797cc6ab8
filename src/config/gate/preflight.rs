//! The answer to CORS preflights, as it stands in a file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::method::{MethodText, methods};
use crate::config::duration::LengthOfTime;
use crate::config::read::{Contradiction, Path};
use crate::service::Preflight;

/// How the gate answers CORS preflights.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct PreflightTable {
    /// The origins of pages that may send requests, as `https://app.example.com`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::config) from_origins: Option<Vec<String>>,
    /// Lets pages of every origin send requests, in place of `from_origins`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    from_any_origin: bool,
    /// The methods that pages may use: `GET`, `HEAD`, `POST`, `PUT`, `PATCH` and `DELETE` unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    methods: Option<Vec<MethodText>>,
    /// Headers that pages may send, besides those of the profile.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::config) headers: Vec<String>,
    /// How long browsers keep the answer, in whole seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_age: Option<LengthOfTime>,
}

impl PreflightTable {
    pub(super) fn describe(&self, path: &Path) -> Result<Preflight, Contradiction> {
        let mut preflight = match (&self.from_origins, self.from_any_origin) {
            (Some(origins), false) => Preflight::from_origins(origins),
            (None, true) => Preflight::from_any_origin(),
            (Some(_), true) => {
                let problem =
                    "every origin is allowed, so this list has no effect: remove one of the two";
                let beside = path.field("from_any_origin");
                return Err(Contradiction::new(path.field("from_origins"), &problem).beside(beside));
            }
            (None, false) => {
                let problem =
                    "no origin is allowed: list some in `from_origins`, or set `from_any_origin`";
                return Err(Contradiction::new(path.clone(), &problem));
            }
        };
        preflight = preflight.headers(&self.headers);
        if let Some(list) = &self.methods {
            preflight = preflight.methods(methods(list));
        }
        Ok(match self.max_age {
            Some(age) => preflight.max_age(age.duration()),
            None => preflight,
        })
    }
}
