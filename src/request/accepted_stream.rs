//! Streams that know what their connection proves.

use super::connection::Connection;

/// A stream that a server has accepted. Its type says what is proven: a plain stream proves the peer's address,
/// and a TLS stream the handshake, too.
///
/// | stream | feature | proves |
/// |---|---|---|
/// | `tokio::net::TcpStream` | `axum`, `axum-server` or `tokio-rustls` | the peer's address |
/// | `tokio::net::UnixStream` | `axum`, `axum-server` or `tokio-rustls` | a Unix socket |
/// | `tokio_rustls::server::TlsStream` | `tokio-rustls` | what the stream inside proves, and TLS |
///
/// [`MarkConnection::of`](crate::MarkConnection::of) marks the requests of a stream. For a stream of another TLS
/// library, write this trait:
///
/// ```
/// use std::net::SocketAddr;
/// use tower_api_key::request::{AcceptedStream, Connection};
///
/// /// A stream that exists only after a TLS handshake.
/// struct SecureStream {
///     peer: SocketAddr,
/// }
///
/// impl AcceptedStream for SecureStream {
///     fn connection(&self) -> Connection {
///         Connection::tls(self.peer)
///     }
/// }
/// ```
pub trait AcceptedStream {
    /// Returns the facts of the connection. They must hold for every request that comes over the stream.
    fn connection(&self) -> Connection;
}
