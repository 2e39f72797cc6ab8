//! What a receiver may answer, and where a webhook may connect to.

use std::time::{Duration, Instant};

use tower_api_key::events::EventSink;
use tower_api_key_webhooks::{InvalidWebhook, Webhook};

use super::receiver::Receiver;
use super::{SECRET, event, failure, local};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let other = Receiver::start(&[OK]).await;
    for status in [300, 301, 302, 303, 307, 308] {
        let place = other.url();
        let answer =
            format!("HTTP/1.1 {status} X\r\nlocation: {place}\r\ncontent-length: 0\r\n\r\n");
        let receiver = Receiver::start(&[&answer]).await;
        let failed = failure(&local(&receiver.url()).build().unwrap()).await;
        assert!(failed.contains(&status.to_string()) && failed.contains("redirects"), "{failed}");
        assert_eq!(receiver.received().len(), 1);
    }
    assert!(other.received().is_empty());
}

#[tokio::test]
async fn a_body_is_not_read() {
    let endless =
        format!("HTTP/1.1 200 OK\r\ncontent-length: 999999999999\r\n\r\n{}", "x".repeat(100_000));
    let receiver = Receiver::start(&[&endless]).await;
    local(&receiver.url()).build().unwrap().deliver(&event()).await.unwrap();
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let long = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(1_000_000));
    let receiver = Receiver::start(&[&long]).await;
    let failed = failure(&local(&receiver.url()).build().unwrap()).await;
    assert!(failed.contains("HTTP/1.1"), "{failed}");
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_is_given_up() {
    let receiver = Receiver::start(&[""]).await;
    let began = Instant::now();
    let webhook = local(&receiver.url()).timeout(Duration::from_millis(200)).build().unwrap();
    let failed = failure(&webhook).await;
    assert!(failed.contains("in time") && began.elapsed() < Duration::from_secs(8), "{failed}");
}

#[tokio::test]
async fn no_private_address_is_connected_to_unless_allowed() {
    let receiver = Receiver::start(&[OK]).await;
    let url = format!("http://localhost:{}/", receiver.port);
    let public = Webhook::builder("hook", &url).secret(SECRET).insecure_allow_http();
    let failed = failure(&public.build().unwrap()).await;
    assert!(failed.contains("insecure_allow_private_addresses"), "{failed}");
    // Spellings of 127.0.0.1 that the system's resolver reads.
    for host in ["127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.1."] {
        let url = format!("http://{host}:{}/", receiver.port);
        let public = Webhook::builder("hook", url).secret(SECRET).insecure_allow_http();
        assert_eq!(public.build().err(), Some(InvalidWebhook::NumberAsHost), "{host}");
    }
    // Names of this machine.
    for host in ["localhost.", "ip6-localhost"] {
        let url = format!("http://{host}:{}/", receiver.port);
        let public = Webhook::builder("hook", url).secret(SECRET).insecure_allow_http();
        failure(&public.build().unwrap()).await;
    }
    assert!(receiver.received().is_empty());
    local(&url).build().unwrap().deliver(&event()).await.unwrap();
    assert_eq!(receiver.received().len(), 1);
}

/// Neither the URL with its token nor a secret is in an error or in what a log shows.
#[tokio::test]
async fn nothing_that_is_shown_has_a_secret() {
    let receiver = Receiver::start(&["HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n"]).await;
    let builder = local(&receiver.url());
    let mut shown = format!("{builder:?}");
    let webhook = builder.build().unwrap();
    shown += &format!("{webhook:?} {}", failure(&webhook).await);
    let closed = "http://127.0.0.1:1/token=word".to_owned();
    shown += &failure(&local(&closed).build().unwrap()).await;
    let named = "http://unknown.invalid/token=word".to_owned();
    shown += &failure(&local(&named).build().unwrap()).await;
    for secret in ["word", "127.0.0.1", "MfKQ", "unknown.invalid"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
