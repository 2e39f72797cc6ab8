//! Webhooks over TLS.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tower_api_key::events::EventSink;

use super::receiver::Inbox;
use super::{SECRET, event, failure};
use tower_api_key_webhooks::{InvalidWebhook, Webhook, WebhookBuilder};

/// Serves TLS with a certificate for `localhost`. Returns the port and the certificate.
async fn serve(inbox: Inbox) -> (u16, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(stream) = acceptor.accept(stream).await else { continue };
            let inbox = inbox.clone();
            tokio::spawn(async move { inbox.answer(stream, b"HTTP/1.1 200 OK\r\n\r\n").await });
        }
    });
    (port, made.cert.pem())
}

fn at(host: &str, port: u16) -> WebhookBuilder {
    let webhook = Webhook::builder("hook", format!("https://{host}:{port}/")).secret(SECRET);
    webhook.insecure_allow_private_addresses()
}

#[tokio::test]
async fn a_certificate_must_be_trusted_and_name_the_host() {
    let inbox = Inbox::default();
    let (port, pem) = serve(inbox.clone()).await;
    at("localhost", port).ca(pem.clone()).build().unwrap().deliver(&event()).await.unwrap();
    assert_eq!(inbox.all().len(), 1);
    let other_host = at("127.0.0.1", port).ca(pem).build().unwrap();
    assert!(failure(&other_host).await.contains("certificate"));
    let other = rcgen::generate_simple_self_signed(["other".to_owned()]).unwrap();
    let untrusted = at("localhost", port).ca(other.cert.pem()).build().unwrap();
    assert!(failure(&untrusted).await.contains("certificate"));
    assert_eq!(inbox.all().len(), 1);
    let wrong = at("localhost", port).ca("no certificate").build();
    assert!(matches!(wrong, Err(InvalidWebhook::Authorities)));
}
