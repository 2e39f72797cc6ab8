//! How a request comes to know its connection: a layer marks it, the gate reads the mark.

use std::task::{Context, Poll};

use http::Request;
use tower_layer::Layer;
use tower_service::Service;

use crate::request::Connection;

/// Puts the facts of one connection into the extensions of its requests. A server wraps the
/// service of each connection that it accepts; it replaces what was there. A server on a Unix socket, whose
/// connections are all alike, wraps its service once, with [`Connection::unix_socket`].
///
/// ```
/// use http::Request;
/// use tower::{Layer, ServiceExt, service_fn};
/// use tower_api_key::MarkConnection;
/// use tower_api_key::request::Connection;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let service = service_fn(|request: Request<()>| async move {
///     Ok::<_, std::convert::Infallible>(request.extensions().get::<Connection>().copied())
/// });
/// let connection = Connection::tls("192.0.2.1:4711".parse().unwrap());
/// let service = MarkConnection::new(connection).layer(service);
/// assert_eq!(service.oneshot(Request::new(())).await, Ok(Some(connection)));
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct MarkConnection<S = ()> {
    connection: Connection,
    inner: S,
}

impl MarkConnection {
    /// Marks requests with these facts.
    pub const fn new(connection: Connection) -> Self {
        Self { connection, inner: () }
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

/// Returns what the server said of the connection; nothing said is nothing known.
pub(super) fn connection<B>(request: &Request<B>) -> Connection {
    let marked = request.extensions().get::<Connection>().copied();
    #[cfg(feature = "axum")]
    let marked = marked.or_else(|| super::axum::connection(request));
    marked.unwrap_or(Connection::unknown())
}
