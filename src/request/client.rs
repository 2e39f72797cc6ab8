//! What is proven about a client.

use std::net::IpAddr;

use http::HeaderMap;

use super::connection::Connection;
use super::forwarded::Hop;
use super::proxies::TrustedProxies;
use super::signs;

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

impl TrustedProxies {
    /// Returns true if the peer of a connection is a trusted proxy.
    pub(crate) fn trusts(&self, connection: Connection) -> bool {
        match connection.peer() {
            Some(peer) => self.networks.contains(peer),
            None => self.unix_sockets && connection.is_unix_socket(),
        }
    }

    /// Returns true if some peer can be trusted.
    #[inline]
    pub(crate) fn trust_any(&self) -> bool {
        self.unix_sockets || !self.networks.is_empty()
    }

    /// Returns what is proven about the client behind a connection.
    #[inline]
    pub fn client(&self, connection: Connection, headers: &HeaderMap) -> Client {
        self.client_of(&connection, headers)
    }

    /// Returns what is proven about the client, as [`client`](Self::client) does, of a connection that is not copied.
    #[inline]
    pub(crate) fn client_of(&self, connection: &Connection, headers: &HeaderMap) -> Client {
        let direct = Client { address: connection.peer(), https: connection.is_tls() };
        if self.trust_any() && self.trusts(*connection) {
            self.behind(direct, headers)
        } else {
            direct
        }
    }

    /// Returns what a trusted peer proves about its client.
    fn behind(&self, direct: Client, headers: &HeaderMap) -> Client {
        let Hop { address, https } = match self.headers.read(headers, &self.networks) {
            Some(hop) => hop,
            // The proxy sent other headers than those configured, or none although it always must.
            None if self.always || headers.keys().any(signs::is_of_a_proxy) => Hop::default(),
            None => return direct,
        };
        Client { address, https }
    }
}
