//! The tables of a file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::profile::ProfileTable;

/// A front door.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FrontDoorTable {
    pub(super) profile: ProfileTable,
}
