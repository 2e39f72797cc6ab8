//! Which requests go to which upstream.

use schemars::JsonSchema;
use serde::Deserialize;

/// Sends the requests of a path, and perhaps a host, to an upstream.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RouteSettings {
    /// The path and all paths below it: `/v1` is for `/v1` and `/v1/users`, and not for `/v10`.
    pub path: String,
    /// The host that the client must name, without a port. Without it the route is for every host.
    pub host: Option<String>,
    /// The name of the upstream.
    pub upstream: String,
    /// The most bytes of a request's content. Without it there is no limit.
    pub max_content_bytes: Option<u64>,
    /// The protocols that a client may switch to, such as `websocket`. A switch to HTTP/2 or TLS is never passed
    /// on, because requests inside of it would pass no gate.
    #[serde(default = "upgrades")]
    pub upgrades: Vec<String>,
}

fn upgrades() -> Vec<String> {
    vec!["websocket".to_owned()]
}
