//! A hyper service that terminates TLS itself, behind a gate. The server marks each TLS connection, and
//! the gate takes that mark as the proof of HTTPS.
//!
//! ```text
//! cargo run -p hyper-service
//! ```

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use rustls::pki_types::PrivateKeyDer;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tower::{Layer, service_fn};
use tower_api_key::key::{Account, Issuer, KeyFormat, KeyHasher, KeyRecord};
use tower_api_key::request::Connection;
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, Grant, MarkConnection, vendors};

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let grant = request.extensions().get::<Grant>();
    let account = grant.map_or("anonymous", |grant| grant.account().as_str());
    Ok(Response::new(Full::new(Bytes::from(format!("hello {account}\n")))))
}

fn acceptor() -> Result<(TlsAcceptor, String), Box<dyn Error>> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der())?;
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(
        rustls::crypto::ring::default_provider(),
    ))
    .with_safe_default_protocol_versions()?
    .with_no_client_auth()
    .with_single_cert(vec![made.cert.der().clone()], key)?;
    Ok((TlsAcceptor::from(Arc::new(config)), made.cert.pem()))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let issued = Issuer::new(KeyFormat::hex(40), KeyHasher::sha256()).issue(None)?;
    let account = Account::builder("account_1").build()?;
    let store = MemoryStore::new();
    store.add_now(*issued.digest(), KeyRecord::builder("key_1", account).build()?);
    let gate = ApiKeyLayer::builder(vendors::PERSONYZE, store).build()?;

    let (acceptor, certificate) = acceptor()?;
    let listener = TcpListener::bind("127.0.0.1:8444").await?;
    println!("{certificate}");
    println!("Save the certificate as ca.pem and try:");
    let key = issued.expose();
    println!("  curl -i --cacert ca.pem https://api:{key}@localhost:8444/");
    loop {
        let (stream, peer) = listener.accept().await?;
        let (acceptor, gate) = (acceptor.clone(), gate.clone());
        tokio::spawn(async move {
            let Ok(stream) = acceptor.accept(stream).await else {
                return; // The handshake failed.
            };
            let marked = MarkConnection::new(Connection::tls(peer));
            let service = TowerToHyperService::new(marked.layer(gate.layer(service_fn(answer))));
            let server = auto::Builder::new(TokioExecutor::new());
            if let Err(error) = server.serve_connection(TokioIo::new(stream), service).await {
                eprintln!("connection: {error}");
            }
        });
    }
}
