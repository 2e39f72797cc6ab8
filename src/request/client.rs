//! What is proven about a client.

use std::net::IpAddr;

/// Holds what is proven about a client: its address, and whether it used HTTPS.
///
/// A handler gets it from a gate whose builder calls
/// [`client_in_request`](crate::ApiKeyLayerBuilder::client_in_request).
///
/// ```
/// use tower_api_key::request::{Client, Connection, TrustedProxies};
///
/// let connection = Connection::tls("192.0.2.1:4711".parse().unwrap());
/// let client = TrustedProxies::default().client(connection, &http::HeaderMap::new());
/// assert_eq!(client, Client { address: "192.0.2.1".parse().ok(), https: true });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    /// The client's address; `None` if it cannot be determined. No allowlist contains an unknown
    /// address.
    pub address: Option<IpAddr>,
    /// True if it is proven that the client used HTTPS. Without a proof, the request counts as plain
    /// HTTP.
    pub https: bool,
}
