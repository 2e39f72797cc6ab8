//! A server with TLS of its own, for browsers, which speak HTTP/2 over TLS only.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tower_api_key::request::Connection;

use super::server::serve;
use crate::conformance::server::tls_config;

/// Starts a server of an app on `localhost` with TLS and a certificate of its own.
pub(crate) async fn serving_tls(app: Router) -> SocketAddr {
    let acceptor = TlsAcceptor::from(Arc::new(tls_config().0));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, peer) = listener.accept().await.unwrap();
            let (acceptor, app) = (acceptor.clone(), app.clone());
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    serve(stream, Connection::tls(peer), app).await;
                }
            });
        }
    });
    address
}
