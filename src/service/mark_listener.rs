//! The proof of peer and TLS for `axum::serve`.

use std::future::Future;
use std::io;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};

use crate::request::{AcceptedStream, Connection};

/// A listener for `axum::serve` whose streams prove what the gate asks for: see [`AcceptedStream`]. The listener
/// inside may accept plain TCP, Unix sockets, or TLS as tokio-rustls has it (feature `tokio-rustls`).
///
/// Serve the router with `into_make_service_with_connect_info::<Connection>()`. Without it the gate knows nothing of
/// a connection.
///
/// ```
/// use axum::Router;
/// use axum::serve::Listener;
/// use tower_api_key::axum::MarkListener;
/// use tower_api_key::request::{AcceptedStream, Connection};
///
/// async fn serve<L>(tls: L, app: Router) -> std::io::Result<()>
/// where
///     L: Listener<Addr: std::fmt::Debug, Io: AcceptedStream>,
/// {
///     let app = app.into_make_service_with_connect_info::<Connection>();
///     axum::serve(MarkListener::new(tls), app).await
/// }
/// ```
#[derive(Debug)]
pub struct MarkListener<L> {
    inner: L,
}

impl<L> MarkListener<L> {
    /// Wraps a listener.
    pub const fn new(inner: L) -> Self {
        Self { inner }
    }
}

impl<L: Listener> Listener for MarkListener<L> {
    type Io = L::Io;
    type Addr = L::Addr;

    fn accept(&mut self) -> impl Future<Output = (Self::Io, Self::Addr)> + Send {
        self.inner.accept()
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.inner.local_addr()
    }
}

impl<L> Connected<IncomingStream<'_, MarkListener<L>>> for Connection
where
    L: Listener,
    L::Io: AcceptedStream,
{
    /// Returns what the stream proves.
    fn connect_info(stream: IncomingStream<'_, MarkListener<L>>) -> Self {
        stream.io().connection()
    }
}
