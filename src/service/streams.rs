//! The streams of tokio, which prove the peer and no TLS.

use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

use crate::request::{AcceptedStream, Connection};

impl AcceptedStream for TcpStream {
    /// Returns the peer's address. It is unknown if the peer has gone already.
    fn connection(&self) -> Connection {
        self.peer_addr().map_or(Connection::unknown(), Connection::plain)
    }
}

#[cfg(unix)]
impl AcceptedStream for UnixStream {
    fn connection(&self) -> Connection {
        Connection::unix_socket()
    }
}
