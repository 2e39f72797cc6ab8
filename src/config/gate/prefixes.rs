//! The lengths of networks, as they stand in a file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The bits of an address that name its network. Addresses of one network count together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct PrefixesTable {
    /// From 1 to 32 bits: 32 unless set.
    #[serde(default = "ipv4")]
    pub(super) ipv4: u8,
    /// From 1 to 128 bits: 64 unless set.
    #[serde(default = "ipv6")]
    pub(super) ipv6: u8,
}

const fn ipv4() -> u8 {
    32
}

const fn ipv6() -> u8 {
    64
}
