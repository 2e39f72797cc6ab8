//! What a server knows about the connection of a request.

use std::net::{IpAddr, SocketAddr};

/// Holds the facts of a connection. The server's acceptor puts it into the request extensions, which no
/// client can write to.
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

/// The other end of a connection, as far as the server knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Peer {
    Unknown,
    UnixSocket,
    Address(IpAddr),
}

impl Connection {
    /// Describes a connection whose peer completed a TLS handshake with this server.
    pub fn tls(peer: SocketAddr) -> Self {
        Self { peer: Peer::Address(peer.ip().to_canonical()), tls: true }
    }

    /// Describes a plain TCP connection.
    pub fn plain(peer: SocketAddr) -> Self {
        Self { peer: Peer::Address(peer.ip().to_canonical()), tls: false }
    }

    /// Describes a connection over this server's Unix socket. The peer is a process on this machine
    /// that may open the socket.
    ///
    /// That proves neither an address nor HTTPS. Such a peer must be a proxy that
    /// [`TrustedProxies::unix_socket`](super::TrustedProxies::unix_socket) trusts.
    ///
    /// ```
    /// use tower_api_key::MarkConnection;
    /// use tower_api_key::request::Connection;
    ///
    /// let connection = Connection::unix_socket();
    /// assert!(connection.is_unix_socket() && connection.peer().is_none());
    /// // Add this layer to the service of a `UnixListener`.
    /// let mark = MarkConnection::new(connection);
    /// ```
    pub const fn unix_socket() -> Self {
        Self { peer: Peer::UnixSocket, tls: false }
    }

    /// Describes a connection of which nothing is known, because the acceptor did not mark it.
    pub const fn unknown() -> Self {
        Self { peer: Peer::Unknown, tls: false }
    }

    /// Describes this connection after its peer completed a TLS handshake with this server.
    ///
    /// ```
    /// use tower_api_key::request::Connection;
    ///
    /// let accepted = Connection::plain("192.0.2.1:4711".parse()?);
    /// assert_eq!(accepted.over_tls(), Connection::tls("192.0.2.1:4711".parse()?));
    /// # Ok::<(), std::net::AddrParseError>(())
    /// ```
    pub const fn over_tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Returns the address of the peer, which may be a proxy; `None` over a Unix socket, or if it is
    /// unknown.
    pub const fn peer(&self) -> Option<IpAddr> {
        match self.peer {
            Peer::Address(address) => Some(address),
            Peer::UnixSocket | Peer::Unknown => None,
        }
    }

    /// Returns true if the peer connected over a Unix socket.
    pub const fn is_unix_socket(&self) -> bool {
        matches!(self.peer, Peer::UnixSocket)
    }

    /// Returns true if the peer completed a TLS handshake with this server.
    pub const fn is_tls(&self) -> bool {
        self.tls
    }
}
