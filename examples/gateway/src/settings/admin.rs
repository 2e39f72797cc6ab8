//! The listener for probes of health.

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::Deserialize;

/// The listener for probes of health. Do not expose it: its answers name upstreams.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdminSettings {
    /// The address, such as `127.0.0.1:9901`.
    pub address: SocketAddr,
}
