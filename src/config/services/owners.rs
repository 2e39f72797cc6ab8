//! What customers may do with their own keys, as it stands in a file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::duration::LengthOfTime;
use crate::config::read::{Contradiction, Path};

/// The table `[management.owners]`: the management API for customers, who reach the keys of their own account only.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct OwnerSettings {
    /// The path of the API for customers, as `/v1/own-keys`. There every caller is a customer, operators too.
    pub path: String,
    /// How many keys that are neither revoked nor expired each owner of an account may have, at least 1.
    pub most_keys: u32,
    /// The longest life of a key that a customer creates or edits. Without this field, keys need no expiry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest_life: Option<LengthOfTime>,
    /// Lets customers set metadata: only if no program trusts the metadata of keys.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub metadata: bool,
}

impl OwnerSettings {
    pub(super) fn check(&self, path: &Path, found: &mut Vec<Contradiction>) {
        if self.most_keys == 0 {
            let problem =
                "customers could create no key: write at least 1, or remove the table `owners`";
            found.push(Contradiction::new(path.field("most_keys"), &problem));
        }
        if self.longest_life.is_some_and(|life| life.duration().is_zero()) {
            let problem = "a key would end at once: write a longer time, as \"90d\"";
            found.push(Contradiction::new(path.field("longest_life"), &problem));
        }
    }
}
