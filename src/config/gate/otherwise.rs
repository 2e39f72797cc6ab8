//! What happens to requests that no route covers, as it stands in a file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::route::RouteNeedsTable;

/// What happens to a request with a valid key that no route covers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::large_enum_variant)] // A file has one.
pub(in crate::config) enum OtherwiseTable {
    /// The gate refuses it.
    Deny,
    /// It passes if it meets these needs.
    Need(RouteNeedsTable),
}
