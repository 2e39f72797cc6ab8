//! Each server over real TLS, and the same service over plain HTTP, with real clients.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tls_servers::tonic::GreeterServer;
use tls_servers::{Setup, axum_serve, axum_server, hyper_util as hyper_server, tonic as grpc};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::Code;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic_prost::ProstCodec;
use tower::Layer;
use tower_api_key::MarkConnection;
use tower_api_key::axum::MarkListener;
use tower_api_key::axum_server::MarkAccepted;
use tower_api_key::request::Connection;

/// Headers by which a client claims HTTPS and another address.
const FORGED: &[(&str, &str)] = &[
    ("forwarded", "for=198.51.100.7;proto=https"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-for", "198.51.100.7"),
    ("x-forwarded-ssl", "on"),
];

#[derive(Debug, Clone, Copy)]
enum Kind {
    AxumServer,
    Axum,
    HyperUtil,
}

const KINDS: [Kind; 3] = [Kind::AxumServer, Kind::Axum, Kind::HyperUtil];

async fn bind() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Starts the server of the example.
async fn over_tls(kind: Kind, setup: &Setup) -> SocketAddr {
    let ((listener, address), setup) = (bind().await, setup.clone());
    match kind {
        Kind::AxumServer => {
            tokio::spawn(axum_server::serve(listener.into_std().unwrap(), setup));
        }
        Kind::Axum => {
            tokio::spawn(axum_serve::serve(listener, setup));
        }
        Kind::HyperUtil => {
            tokio::spawn(hyper_server::serve(listener, setup));
        }
    }
    address
}

/// Starts the same service without TLS, and with the same mark.
async fn plain(kind: Kind, setup: &Setup) -> SocketAddr {
    let ((listener, address), app) = (bind().await, setup.app());
    match kind {
        Kind::AxumServer => {
            let server = ::axum_server::from_tcp(listener.into_std().unwrap()).unwrap();
            tokio::spawn(server.map(MarkAccepted::new).serve(app.into_make_service()));
        }
        Kind::Axum => {
            let app = app.into_make_service_with_connect_info::<Connection>();
            tokio::spawn(axum::serve(MarkListener::new(listener), app).into_future());
        }
        Kind::HyperUtil => {
            tokio::spawn(async move {
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    let service = MarkConnection::of(&stream).layer(app.clone());
                    tokio::spawn(async move {
                        let service = TowerToHyperService::new(service);
                        let server = auto::Builder::new(TokioExecutor::new());
                        let _ = server.serve_connection(TokioIo::new(stream), service).await;
                    });
                }
            });
        }
    }
    address
}

async fn handshake(address: SocketAddr, setup: &Setup, protocol: &str) -> TlsStream<TcpStream> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(setup.certificate.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(protocol.as_bytes()));
    stream
}

/// Sends a request, and returns the status and the content of its answer.
async fn ask(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    protocol: &str,
    headers: &[(&str, &str)],
) -> (u16, String) {
    let mut request = Request::get(if protocol == "h2" { "https://localhost/" } else { "/" });
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (request, stream) = (request.body(Empty::<Bytes>::new()).unwrap(), TokioIo::new(stream));
    let answer = if protocol == "h2" {
        let shaken = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await;
        let (mut sender, connection) = shaken.unwrap();
        tokio::spawn(connection);
        sender.send_request(request).await.unwrap()
    } else {
        let shaken = hyper::client::conn::http1::handshake(stream).await;
        let (mut sender, connection) = shaken.unwrap();
        tokio::spawn(connection);
        sender.send_request(request).await.unwrap()
    };
    let status = answer.status().as_u16();
    let content = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(content.to_vec()).unwrap())
}

#[tokio::test]
async fn a_handshake_proves_https_and_a_header_proves_nothing() {
    let setup = Setup::new().unwrap();
    let key = [("x-api-key", &*setup.key)];
    let forged = [&key[..], FORGED].concat();
    for kind in KINDS {
        let (tls, without) = (over_tls(kind, &setup).await, plain(kind, &setup).await);
        for protocol in ["http/1.1", "h2"] {
            let case = format!("{kind:?} {protocol}");
            for (headers, expected) in [(&key[..], 200), (&forged, 200), (&[], 401), (FORGED, 401)]
            {
                let stream = handshake(tls, &setup, protocol).await;
                let (status, content) = ask(stream, protocol, headers).await;
                assert_eq!(status, expected, "{case}");
                // The address is the peer's, whatever a header says.
                assert!(
                    status != 200 || content == "hello acme at 127.0.0.1\n",
                    "{case}: {content}"
                );
            }
            for headers in [&key[..], &forged, &[], FORGED] {
                let stream = TcpStream::connect(without).await.unwrap();
                let (status, content) = ask(stream, protocol, headers).await;
                assert_eq!(status, 400, "{case}");
                assert!(content.contains("HTTPS"), "{case}: {content}");
            }
        }
    }
}

/// A client that speaks plain HTTP to a port for TLS gets no answer in HTTP.
#[tokio::test]
async fn plain_http_on_the_port_for_tls_is_not_answered() {
    let setup = Setup::new().unwrap();
    for kind in KINDS {
        let address = over_tls(kind, &setup).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request =
            format!("GET / HTTP/1.1\r\nhost: localhost\r\nx-api-key: {}\r\n\r\n", setup.key);
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // The server closes the connection, after an alert of TLS.
        let read = timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
        assert!(read.is_ok(), "{kind:?} keeps the connection");
        assert!(!answer.starts_with(b"HTTP"), "{kind:?}");
        // Others are served meanwhile.
        let stream = handshake(address, &setup, "h2").await;
        let (status, _) = ask(stream, "h2", &[("x-api-key", &setup.key)]).await;
        assert_eq!(status, 200, "{kind:?}");
    }
}

/// Calls the service with these headers.
async fn greet(channel: Channel, headers: &[(&str, &str)]) -> Result<String, tonic::Status> {
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.unwrap();
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(http::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
    }
    let metadata = tonic::metadata::MetadataMap::from_headers(map);
    let call = tonic::Request::from_parts(metadata, http::Extensions::new(), "hello".to_owned());
    let path = http::uri::PathAndQuery::from_static("/hello.v1.Greeter/Greet");
    let answered = client.unary(call, path, ProstCodec::<String, String>::default()).await;
    answered.map(tonic::Response::into_inner)
}

#[tokio::test]
async fn tonics_handshake_proves_https_and_a_header_proves_nothing() {
    let setup = Setup::new().unwrap();
    let (listener, address) = bind().await;
    tokio::spawn(grpc::serve(listener, setup.clone()));
    let trust = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(&setup.certificate))
        .domain_name("localhost");
    let endpoint = Endpoint::from_shared(format!("https://{address}")).unwrap();
    let secure = endpoint.tls_config(trust).unwrap().connect().await.unwrap();

    let (listener, address) = bind().await;
    let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
    let router = tonic::transport::Server::builder().add_service(setup.gate.layer(GreeterServer));
    tokio::spawn(router.serve_with_incoming(incoming));
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    let plain = endpoint.connect().await.unwrap();

    let key = [("x-api-key", &*setup.key)];
    let forged = [&key[..], FORGED].concat();
    for headers in [&key[..], &forged] {
        let greeting = greet(secure.clone(), headers).await.unwrap();
        assert_eq!(greeting, "hello acme at 127.0.0.1");
        let refused = greet(plain.clone(), headers).await.unwrap_err();
        assert_eq!(
            (refused.code(), refused.message()),
            (Code::InvalidArgument, "HTTPS is required.")
        );
    }
    let refused = greet(secure, FORGED).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
}
