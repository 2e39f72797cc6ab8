//! The tables of a file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::backends::{LimiterSettings, StoreSettings};
use super::profile::ProfileTable;

/// A front door.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FrontDoorTable {
    pub(super) profile: ProfileTable,
    /// Where the keys are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) store: Option<StoreSettings>,
    /// Where requests are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) limiter: Option<LimiterSettings>,
}
