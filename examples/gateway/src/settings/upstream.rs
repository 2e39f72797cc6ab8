//! A group of servers behind the gateway.

use std::num::NonZeroU32;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::period::Period;

/// A group of servers behind the gateway, which answer alike.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpstreamSettings {
    /// The servers, each as `host:port`.
    pub addresses: Vec<String>,
    /// The version of HTTP that the servers speak.
    #[serde(default)]
    pub protocol: Protocol,
    /// Connects over TLS, and how the servers prove who they are.
    pub tls: Option<UpstreamTlsSettings>,
    /// The host that the servers are asked for. Without it they get the host of the client over HTTP/1.1, and
    /// their own address over HTTP/2.
    pub host: Option<String>,
    /// How long a connection may take, with its handshake of TLS.
    #[serde(default = "connect_timeout")]
    pub connect_timeout: Period,
    /// How long a server may take to answer after it has got the whole request.
    #[serde(default = "response_timeout")]
    pub response_timeout: Period,
    /// How long a request or a response may pause within its content, and how long a server may not read a request.
    #[serde(default = "idle_timeout")]
    pub idle_timeout: Period,
    /// The connections that are kept for further requests.
    #[serde(default)]
    pub pool: PoolSettings,
    /// When a server that does not answer is left out.
    #[serde(default)]
    pub health: HealthSettings,
}

/// The version of HTTP that servers speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// HTTP/1.1.
    #[default]
    Http1,
    /// HTTP/2, which gRPC needs. Such an upstream takes no WebSockets.
    Http2,
}

/// How servers prove who they are.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpstreamTlsSettings {
    /// The name that the certificate of each server must have.
    pub server_name: String,
    /// The PEM file with the authorities that may sign it. Without it, those that the system trusts.
    pub authorities: Option<PathBuf>,
}

/// The connections that are kept for further requests.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PoolSettings {
    /// How many connections without a request are kept for each server.
    pub max_idle: usize,
    /// How long a connection without a request is kept. Choose less than the servers do.
    pub idle_timeout: Period,
}

impl Default for PoolSettings {
    fn default() -> Self {
        Self { max_idle: 64, idle_timeout: Period::from_secs(30) }
    }
}

/// When a server that does not answer is left out.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HealthSettings {
    /// After how many failures in a row. Only a connection that fails and an answer that does not come count.
    pub max_failures: NonZeroU32,
    /// For how long. Then one request tries the server again.
    pub retry_after: Period,
}

impl Default for HealthSettings {
    fn default() -> Self {
        Self { max_failures: NonZeroU32::MIN.saturating_add(2), retry_after: Period::from_secs(10) }
    }
}

const fn connect_timeout() -> Period {
    Period::from_secs(5)
}

const fn response_timeout() -> Period {
    Period::from_secs(60)
}

const fn idle_timeout() -> Period {
    Period::from_secs(300)
}
