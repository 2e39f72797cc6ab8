//! What is proven of a client.

use std::net::IpAddr;

/// States what is proven of the client: its address, and whether it used HTTPS.
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
    /// The client's address; `None` if it cannot be determined, which no allowlist admits.
    pub address: Option<IpAddr>,
    /// Whether HTTPS is proven; no proof is plain HTTP.
    pub https: bool,
}
