//! The whole table.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::admin::AdminSettings;
use super::identity::IdentitySettings;
use super::listener::ListenerSettings;
use super::period::Period;
use super::route::RouteSettings;
use super::upstream::UpstreamSettings;

/// What the gateway listens on, and where it sends requests.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GatewaySettings {
    /// The addresses that clients, or the proxies in front, connect to.
    pub listeners: Vec<ListenerSettings>,
    /// The address for probes of health. Without it the gateway answers no probes.
    pub admin: Option<AdminSettings>,
    /// The groups of servers behind the gateway, by name.
    pub upstreams: BTreeMap<String, UpstreamSettings>,
    /// Which requests go to which upstream. The longest path wins; a route with a host wins over one without.
    pub routes: Vec<RouteSettings>,
    /// The fields in which upstreams read who called.
    #[serde(default)]
    pub identity: IdentitySettings,
    /// How the gateway ends.
    #[serde(default)]
    pub drain: DrainSettings,
    /// Writes a line for each request: method, status, time, decision, account, key id, route and upstream.
    #[serde(default)]
    pub access_log: bool,
    /// How often the gateway looks whether this file or a certificate has changed.
    #[serde(default = "watch_period")]
    pub watch_period: Period,
}

/// How the gateway ends after SIGTERM or SIGINT.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DrainSettings {
    /// How long the gateway still accepts connections after `/readyz` has begun to fail. A load balancer needs this
    /// time to notice. Without it the gateway stops accepting at once.
    pub delay: Option<Period>,
    /// How long the gateway waits for requests and sockets after it has stopped accepting.
    pub timeout: Period,
}

impl Default for DrainSettings {
    fn default() -> Self {
        Self { delay: None, timeout: Period::from_secs(30) }
    }
}

const fn watch_period() -> Period {
    Period::from_secs(2)
}
