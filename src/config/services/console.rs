//! The console, as it stands in a file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::duration::LengthOfTime;
use crate::config::read::{Contradiction, Path};

/// The path of the console unless set.
const PATH: &str = "/console";

/// The table `[management.console]`: web pages with which people manage keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ConsoleSettings {
    /// The path of the pages: `/console` unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The title of the pages: `API keys` unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Lets customers sign in, too, within the bounds of `management.owners`. Otherwise only operators.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub for_owners: bool,
    /// After how long without a request a session ends: 30 minutes unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle: Option<LengthOfTime>,
    /// After how long a session ends in any case: 8 hours unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest: Option<LengthOfTime>,
}

impl ConsoleSettings {
    /// Returns the path of the pages.
    pub fn path(&self) -> &str {
        self.path.as_deref().unwrap_or(PATH)
    }

    pub(super) fn check(&self, has_owners: bool, path: &Path, found: &mut Vec<Contradiction>) {
        if self.for_owners && !has_owners {
            let problem = "the table `management.owners` with the bounds of customers is missing: add it, or remove \
                this field";
            found.push(Contradiction::new(path.field("for_owners"), &problem));
        }
        for (name, length) in [("idle", self.idle), ("longest", self.longest)] {
            if length.is_some_and(|length| length.duration().is_zero()) {
                let problem = "a session would end at once: write a longer time, as \"30m\"";
                found.push(Contradiction::new(path.field(name), &problem));
            }
        }
    }
}
