//! What a server knows of the connection that a request came over.

use std::net::{IpAddr, SocketAddr};

/// States the facts of a connection. A server's own acceptor puts it into the request extensions;
/// no client can.
///
/// ```
/// use http::Request;
/// use tower_api_key::request::Connection;
///
/// # let peer = "192.0.2.1:4711".parse().unwrap();
/// let mut request = Request::new(());
/// request.extensions_mut().insert(Connection::tls(peer)); // after the TLS handshake
/// # assert!(request.extensions().get::<Connection>().unwrap().is_tls());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connection {
    peer: Option<IpAddr>,
    tls: bool,
}

impl Connection {
    /// States that the peer completed a TLS handshake with this server.
    pub fn tls(peer: SocketAddr) -> Self {
        Self { peer: Some(peer.ip().to_canonical()), tls: true }
    }

    /// States that the connection is plain TCP.
    pub fn plain(peer: SocketAddr) -> Self {
        Self { peer: Some(peer.ip().to_canonical()), tls: false }
    }

    /// States that nothing is known: a Unix socket, or an acceptor that left no mark.
    pub const fn unknown() -> Self {
        Self { peer: None, tls: false }
    }

    /// Returns the address of the peer, which may be a proxy.
    pub const fn peer(&self) -> Option<IpAddr> {
        self.peer
    }

    /// Tells whether the peer completed a TLS handshake with this server.
    pub const fn is_tls(&self) -> bool {
        self.tls
    }
}
