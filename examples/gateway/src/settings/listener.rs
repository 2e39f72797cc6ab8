//! An address that clients, or a proxy in front, connect to.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::period::Period;

/// An address that clients connect to. Without `tls` it is for trusted proxies, which end TLS: the gate refuses
/// the keys of any other client there.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListenerSettings {
    /// The address, such as `0.0.0.0:8443`.
    pub address: SocketAddr,
    /// The certificate of this address.
    pub tls: Option<TlsSettings>,
    /// How many connections and tunnels are open at most. Further ones wait in the queue of the system.
    #[serde(default = "max_connections")]
    pub max_connections: NonZeroUsize,
    /// How long a client may take for the handshake of TLS, and for the head of a request, and how long a connection
    /// stays open without any request.
    #[serde(default = "header_timeout")]
    pub header_timeout: Period,
}

/// A certificate and its key, as PEM files. The gateway reads them again when they change.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsSettings {
    /// The file with the certificate, followed by those of the authorities between it and the root.
    pub certificate: PathBuf,
    /// The file with the private key.
    pub private_key: PathBuf,
}

const fn max_connections() -> NonZeroUsize {
    NonZeroUsize::MIN.saturating_add(9_999)
}

const fn header_timeout() -> Period {
    Period::from_secs(10)
}
