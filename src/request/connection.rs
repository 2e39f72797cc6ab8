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
    peer: Peer,
    tls: bool,
}

/// What a server knows of who is at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Peer {
    Unknown,
    UnixSocket,
    Address(IpAddr),
}

impl Connection {
    /// States that the peer completed a TLS handshake with this server.
    pub fn tls(peer: SocketAddr) -> Self {
        Self { peer: Peer::Address(peer.ip().to_canonical()), tls: true }
    }

    /// States that the connection is plain TCP.
    pub fn plain(peer: SocketAddr) -> Self {
        Self { peer: Peer::Address(peer.ip().to_canonical()), tls: false }
    }

    /// States that the peer is a process on this machine that may open this server's Unix socket. That proves
    /// neither an address nor HTTPS: such a peer has to be a proxy that
    /// [`TrustedProxies::unix_socket`](super::TrustedProxies::unix_socket) trusts.
    ///
    /// ```
    /// use tower_api_key::MarkConnection;
    /// use tower_api_key::request::Connection;
    ///
    /// let connection = Connection::unix_socket();
    /// assert!(connection.is_unix_socket() && connection.peer().is_none());
    /// let mark = MarkConnection::new(connection); // around the service of a `UnixListener`
    /// # let _ = mark;
    /// ```
    pub const fn unix_socket() -> Self {
        Self { peer: Peer::UnixSocket, tls: false }
    }

    /// States that nothing is known: the acceptor left no mark.
    pub const fn unknown() -> Self {
        Self { peer: Peer::Unknown, tls: false }
    }

    /// Returns the address of the peer, which may be a proxy; none over a Unix socket.
    pub const fn peer(&self) -> Option<IpAddr> {
        match self.peer {
            Peer::Address(address) => Some(address),
            Peer::UnixSocket | Peer::Unknown => None,
        }
    }

    /// Tells whether the peer came over a Unix socket.
    pub const fn is_unix_socket(&self) -> bool {
        matches!(self.peer, Peer::UnixSocket)
    }

    /// Tells whether the peer completed a TLS handshake with this server.
    pub const fn is_tls(&self) -> bool {
        self.tls
    }
}
