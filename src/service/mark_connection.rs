//! Marking requests with the facts of their connection, for the gate to read.

use std::task::{Context, Poll};

use http::Request;
use tower_layer::Layer;
use tower_service::Service;

use crate::decision::Policy;
use crate::request::{AcceptedStream, Client, Connection};

/// A layer that puts a [`Connection`] into the extensions of each request, and replaces one that is there.
///
/// Wrap the service of each connection that your server accepts. On a Unix socket all connections are alike:
/// wrap the service once, with [`Connection::unix_socket`].
///
/// ```
/// use http::Request;
/// use tower::{Layer, ServiceExt, service_fn};
/// use tower_api_key::MarkConnection;
/// use tower_api_key::request::Connection;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), std::net::AddrParseError> {
/// let service = service_fn(|request: Request<()>| async move {
///     Ok::<_, std::convert::Infallible>(request.extensions().get::<Connection>().copied())
/// });
/// let connection = Connection::tls("192.0.2.1:4711".parse()?); // after the TLS handshake
/// let service = MarkConnection::new(connection).layer(service);
/// assert_eq!(service.oneshot(Request::new(())).await, Ok(Some(connection)));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct MarkConnection<S = ()> {
    connection: Connection,
    inner: S,
}

impl MarkConnection {
    /// Marks requests with this connection.
    pub const fn new(connection: Connection) -> Self {
        Self { connection, inner: () }
    }

    /// Marks requests with what a stream proves that the server has accepted: the peer's address, and TLS if the
    /// stream is one of TLS. So no call can state more than what happened.
    ///
    /// ```
    /// use hyper_util::service::TowerToHyperService;
    /// use tokio::net::TcpListener;
    /// use tower::Layer;
    /// use tower_api_key::MarkConnection;
    ///
    /// # async fn accept<S>(listener: TcpListener, gated: S) -> std::io::Result<()> {
    /// let (stream, _) = listener.accept().await?;
    /// // let stream = tls_acceptor.accept(stream).await?;
    /// # #[cfg(feature = "axum")]
    /// let service = TowerToHyperService::new(MarkConnection::of(&stream).layer(gated));
    /// # Ok(()) }
    /// ```
    pub fn of(stream: &impl AcceptedStream) -> Self {
        Self::new(stream.connection())
    }
}

impl<S> Layer<S> for MarkConnection {
    type Service = MarkConnection<S>;

    fn layer(&self, inner: S) -> Self::Service {
        MarkConnection { connection: self.connection, inner }
    }
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for MarkConnection<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        request.extensions_mut().insert(self.connection);
        self.inner.call(request)
    }
}

/// Returns what is proven about the client of a request. Reads the mark where it lies: a copy would be read just after it
/// was written in parts, which stalls the processor for 8 of 640 ns.
#[inline]
pub(super) fn client_of<B>(policy: &Policy, request: &Request<B>) -> Client {
    match request.extensions().get::<Connection>() {
        Some(marked) => policy.client(marked, request.headers()),
        None => policy.client(&connection(request), request.headers()),
    }
}

/// Returns the connection that the server has marked. Without a mark nothing is known of it.
// Returned early: a chain of options copies an address byte by byte at each link.
#[inline]
pub(super) fn connection<B>(request: &Request<B>) -> Connection {
    match request.extensions().get::<Connection>() {
        Some(marked) => *marked,
        None => noted(request).unwrap_or(Connection::unknown()),
    }
}

/// Returns the connection as the frameworks that are in use have noted it.
fn noted<B>(request: &Request<B>) -> Option<Connection> {
    #[cfg(feature = "axum")]
    if let Some(noted) = super::axum::connection(request) {
        return Some(noted);
    }
    #[cfg(feature = "tonic")]
    if let Some(noted) = super::tonic::connection(request) {
        return Some(noted);
    }
    let _ = request;
    None
}
