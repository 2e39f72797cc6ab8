//! A hyper server on a socket of its own, with a gate in front of its service.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use http_body_util::{BodyExt, Collected, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};
use tower::{Layer, service_fn};
use tower_api_key::request::Connection;
use tower_api_key::{ApiKeyLayer, Grant, MarkConnection};

/// Answers an admitted request, whose content has been read to its end.
pub(crate) type Inner = fn(&Parts, &Bytes) -> Response<Full<Bytes>>;

/// Returns the TLS of a server on `localhost` with a certificate of its own, for both versions of HTTP.
pub(crate) fn tls_config() -> (rustls::ServerConfig, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    (config, certificate)
}

/// How a server comes to state the facts of a connection.
#[derive(Clone)]
enum Acceptor {
    /// It terminates TLS itself.
    Tls(TlsAcceptor),
    /// Something in front of it does, or nothing; the test says so.
    Says(fn(SocketAddr) -> Connection),
}

/// A server that runs as long as its test's runtime.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    reached: Arc<AtomicUsize>,
}

impl Server {
    /// Starts a server whose acceptor says that every client came over TLS.
    pub(crate) async fn start(layer: &ApiKeyLayer) -> Self {
        Self::run(layer, Acceptor::Says(Connection::tls), greet).await
    }

    /// Starts a server without TLS.
    pub(crate) async fn plain(layer: &ApiKeyLayer) -> Self {
        Self::run(layer, Acceptor::Says(Connection::plain), greet).await
    }

    /// Starts a server as `start` does, with another service.
    pub(crate) async fn serving(layer: &ApiKeyLayer, inner: Inner) -> Self {
        Self::run(layer, Acceptor::Says(Connection::tls), inner).await
    }

    /// Starts a server that terminates TLS, and returns the certificate to trust.
    pub(crate) async fn with_tls(layer: &ApiKeyLayer) -> (Self, CertificateDer<'static>) {
        let (config, certificate) = tls_config();
        let acceptor = Acceptor::Tls(TlsAcceptor::from(Arc::new(config)));
        (Self::run(layer, acceptor, greet).await, certificate)
    }

    /// Connects over TLS, in one of these versions of it and with this protocol inside.
    pub(crate) async fn handshake(
        &self,
        certificate: &CertificateDer<'static>,
        versions: &[&'static rustls::SupportedProtocolVersion],
        protocol: &str,
    ) -> TlsStream<TcpStream> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(certificate.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        let stream = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
    }

    /// Returns how many requests have reached the service behind the gate.
    pub(crate) fn reached(&self) -> usize {
        self.reached.load(Ordering::SeqCst)
    }

    async fn run(layer: &ApiKeyLayer, acceptor: Acceptor, inner: Inner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let reached = Arc::new(AtomicUsize::new(0));
        let (layer, count) = (layer.clone(), Arc::clone(&reached));
        tokio::spawn(async move {
            loop {
                let (stream, peer) = listener.accept().await.unwrap();
                let (layer, count) = (layer.clone(), Arc::clone(&count));
                tokio::spawn(accepted(stream, peer, acceptor.clone(), layer, count, inner));
            }
        });
        Self { address, reached }
    }
}

async fn accepted(
    stream: TcpStream,
    peer: SocketAddr,
    acceptor: Acceptor,
    layer: ApiKeyLayer,
    count: Arc<AtomicUsize>,
    inner: Inner,
) {
    match acceptor {
        Acceptor::Says(facts) => serve(stream, facts(peer), layer, count, inner).await,
        Acceptor::Tls(acceptor) => {
            if let Ok(stream) = acceptor.accept(stream).await {
                serve(stream, Connection::tls(peer), layer, count, inner).await;
            }
        }
    }
}

pub(crate) async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    facts: Connection,
    layer: ApiKeyLayer,
    count: Arc<AtomicUsize>,
    inner: Inner,
) {
    let service = service_fn(move |request: Request<Incoming>| {
        count.fetch_add(1, Ordering::SeqCst);
        async move {
            let (parts, body) = request.into_parts();
            let content = body.collect().await.map(Collected::to_bytes);
            Ok::<_, Infallible>(inner(&parts, &content.unwrap_or_default()))
        }
    });
    let service = MarkConnection::new(facts).layer(layer.layer(service));
    let connection = auto::Builder::new(TokioExecutor::new());
    let service = TowerToHyperService::new(service);
    // How it ends is the client's to see.
    let _ = connection.serve_connection(TokioIo::new(stream), service).await;
}

/// Says whose request it was, what it asked for, and how much content came with it.
pub(crate) fn greet(parts: &Parts, content: &Bytes) -> Response<Full<Bytes>> {
    let grant = parts.extensions.get::<Grant>();
    let account = grant.map_or("stranger", |grant| grant.account().as_str());
    let text = format!("{account} {} {} {}", parts.method, parts.uri.path(), content.len());
    Response::new(Full::new(Bytes::from(text)))
}
