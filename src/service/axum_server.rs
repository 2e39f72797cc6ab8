//! axum-server 0.9: the proof of peer and TLS.
//!
//! This module guards what a gate believes of a connection that axum-server has accepted. The type of the stream
//! is the proof: behind axum-server's `RustlsAcceptor` each stream has completed its handshake, and without it a
//! stream proves the peer only.
//!
//! # Deployment
//!
//! Map the acceptor of each server, with one line:
//!
//! ```
//! use axum_server::Server;
//! use tower_api_key::axum_server::MarkAccepted;
//!
//! # fn serve(address: std::net::SocketAddr) {
//! // For HTTPS: `axum_server::bind_rustls(address, config)`.
//! let server = Server::bind(address).map(MarkAccepted::new);
//! // server.serve(app.into_make_service()).await
//! # drop(server);
//! # }
//! ```

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum_server::accept::Accept;
use pin_project_lite::pin_project;
use tower_layer::Layer;

use super::mark_connection::MarkConnection;
use crate::request::AcceptedStream;

/// An acceptor that marks the requests of each connection with what its stream proves: see
/// [`AcceptedStream`]. [The page of the module](self) has an example.
#[derive(Debug, Clone, Copy)]
pub struct MarkAccepted<A> {
    inner: A,
}

impl<A> MarkAccepted<A> {
    /// Wraps an acceptor, such as axum-server's `RustlsAcceptor`.
    pub const fn new(inner: A) -> Self {
        Self { inner }
    }
}

impl<A, I, S> Accept<I, S> for MarkAccepted<A>
where
    A: Accept<I, S>,
    A::Stream: AcceptedStream,
{
    type Stream = A::Stream;
    type Service = MarkConnection<A::Service>;
    type Future = MarkedFuture<A::Future>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        MarkedFuture { accepting: self.inner.accept(stream, service) }
    }
}

pin_project! {
    /// The future of an accepted connection. Resolves when the handshake is complete.
    pub struct MarkedFuture<F> {
        #[pin]
        accepting: F,
    }
}

impl<F, I, S> Future for MarkedFuture<F>
where
    F: Future<Output = io::Result<(I, S)>>,
    I: AcceptedStream,
{
    type Output = io::Result<(I, MarkConnection<S>)>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let accepted = ready!(self.project().accepting.poll(context));
        Poll::Ready(accepted.map(|(stream, service)| {
            let service = MarkConnection::of(&stream).layer(service);
            (stream, service)
        }))
    }
}

impl<F> fmt::Debug for MarkedFuture<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MarkedFuture")
    }
}
