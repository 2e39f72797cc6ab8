//! The streams of tokio-rustls, which prove TLS.

use tokio_rustls::server::TlsStream;

use crate::request::{AcceptedStream, Connection};

impl<I: AcceptedStream> AcceptedStream for TlsStream<I> {
    /// Returns what the stream inside proves, and TLS once the handshake is complete.
    fn connection(&self) -> Connection {
        let (stream, session) = self.get_ref();
        let accepted = stream.connection();
        // A stream that accepts early data may exist before its handshake ends.
        if session.is_handshaking() { accepted } else { accepted.over_tls() }
    }
}
