//! hyper-util with an acceptor of tokio-rustls, and a service without axum.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tower::{Layer, service_fn};
use tower_api_key::request::Client;
use tower_api_key::{ApiKeyLayer, Grant, MarkConnection};

use crate::{Failure, Setup};

const LONGEST_HANDSHAKE: Duration = Duration::from_secs(10);

/// Serves until the process ends.
///
/// # Errors
///
/// [`Failure`] if a connection cannot be accepted.
pub async fn serve(listener: TcpListener, setup: Setup) -> Result<(), Failure> {
    let acceptor = TlsAcceptor::from(setup.tls.clone());
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(connection(stream, acceptor.clone(), setup.gate.clone()));
    }
}

async fn connection(stream: TcpStream, acceptor: TlsAcceptor, gate: ApiKeyLayer) {
    let Ok(Ok(stream)) = timeout(LONGEST_HANDSHAKE, acceptor.accept(stream)).await else {
        return; // The handshake failed.
    };
    let service = MarkConnection::of(&stream).layer(gate.layer(service_fn(answer))); // the proof of TLS
    let server = auto::Builder::new(TokioExecutor::new());
    let service = TowerToHyperService::new(service);
    if let Err(error) = server.serve_connection(TokioIo::new(stream), service).await {
        eprintln!("connection: {error}");
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (grant, client) =
        (request.extensions().get::<Grant>(), request.extensions().get::<Client>());
    let account = grant.map_or("anonymous", |grant| grant.account().as_str());
    let address = client.and_then(|client| client.address);
    let address = address.map_or("unknown".to_owned(), |address| address.to_string());
    Ok(Response::new(Full::new(Bytes::from(format!("hello {account} at {address}\n")))))
}
