//! Upstreams over TLS: which are trusted.

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::process::Folder;
use crate::raw;
use crate::site::{Site, one};
use crate::upstream::text;

/// Serves with the certificate `a` of a folder, and answers with the version and the host that were asked for.
async fn serve(folder: &Folder) -> SocketAddr {
    let certificate = CertificateDer::from_pem_file(folder.file("a.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.file("a.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let mut config = builder.with_single_cert(vec![certificate], key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let service = service_fn(|request: http::Request<_>| async move {
                    let _: &hyper::body::Incoming = request.body();
                    let answer = text(format!("{:?}", request.version()));
                    Ok::<_, std::convert::Infallible>(http::Response::new(answer))
                });
                let server = auto::Builder::new(TokioExecutor::new());
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    address
}

#[tokio::test]
async fn only_a_server_with_the_right_name_and_authority_is_asked() {
    let folder = Folder::new("upstream-tls");
    for name in ["a", "b"] {
        folder.certify(name);
    }
    fs::write(folder.file("empty.pem"), "").unwrap();
    let (upstream, mut reloaded) = (serve(&folder).await, None::<Site>);
    for (protocol, name, authority, expected) in [
        ("http1", "localhost", "a.pem", (200, "http/1.1")),
        ("http2", "localhost", "a.pem", (200, "http/2.0")),
        ("http1", "other.example", "a.pem", (502, "reached")),
        ("http1", "localhost", "b.pem", (502, "reached")),
        ("http2", "localhost", "b.pem", (502, "reached")),
    ] {
        let lines = format!(
            "protocol = '{protocol}'\ntls = {{ server_name = '{name}', authorities = '{}' }}",
            folder.file(authority)
        );
        let site = Site::start(&one(upstream, &lines)).await;
        let answer = site.get(b"").await;
        assert_eq!(raw::status(&answer), expected.0, "{lines}: {answer}");
        assert!(answer.contains(expected.1), "{lines}: {answer}");
    }
    // Authorities that change are read again.
    let lines =
        format!("tls = {{ server_name = 'localhost', authorities = '{}' }}", folder.file("c.pem"));
    for (authority, expected) in [("b.pem", 502), ("a.pem", 200)] {
        fs::copy(folder.file(authority), folder.file("c.pem")).unwrap();
        let file = one(upstream, &lines);
        let site = match reloaded.take() {
            None => Site::start(&file).await,
            Some(mut site) => {
                site.gateway.reload(crate::site::settings(&file)).unwrap();
                site
            }
        };
        assert_eq!(raw::status(&site.get(b"").await), expected, "{authority}");
        reloaded = Some(site);
    }

    let lines = format!(
        "tls = {{ server_name = 'localhost', authorities = '{}' }}",
        folder.file("empty.pem")
    );
    let problem = gateway::check(&crate::site::settings(&one(upstream, &lines))).unwrap_err();
    let problem = problem.to_string();
    assert!(problem.starts_with("gateway.upstreams.backend.tls.authorities: "), "{problem}");
}
