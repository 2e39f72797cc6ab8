//! The fields in which upstreams read who called.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// The fields in which upstreams read who called. The gateway removes each of these fields from every request of a
/// client, and writes it only if a key was admitted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IdentitySettings {
    /// The field for the id of the account.
    pub account: String,
    /// The field for the id of the key, which is not secret.
    pub key_id: String,
    /// The field for the environment of the key.
    pub environment: String,
    /// A field for each name of metadata that upstreams should read.
    pub metadata: BTreeMap<String, String>,
}

impl Default for IdentitySettings {
    fn default() -> Self {
        Self {
            account: "x-account-id".to_owned(),
            key_id: "x-key-id".to_owned(),
            environment: "x-key-environment".to_owned(),
            metadata: BTreeMap::new(),
        }
    }
}
