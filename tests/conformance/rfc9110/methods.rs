//! RFC 9110 §9 and §10: methods, and expectations.

use std::time::Duration;

use tower_api_key::key::{KeyDigest, SharedRecord};
use tower_api_key::rules::{Route, Routes};
use tower_api_key::store::{KeyStore, MemoryStore, StoreError};
use tower_api_key::{ApiKeyLayer, Reply, vendors};

use crate::conformance::answers::{FORBIDDEN, INVALID, MISSING, SERVED};
use crate::conformance::gates::{gate, rest, shipped};
use crate::conformance::server::Server;
use crate::conformance::wire::{Answer, Client, head, request};
use crate::support::{KEY, store};

/// §9.1: methods are case-sensitive, and one that nobody knows is let through no more than others.
#[tokio::test]
async fn rfc9110_9_1_unknown_methods_are_no_way_round() {
    let authorization = format!("Authorization: Bearer {KEY}");
    let routes = Routes::new().on(&[http::Method::GET], "/", Route::new());
    let layer = gate(vendors::REST_INTEGRATIONS, KEY, |key| key).routes(routes).build().unwrap();
    let server = Server::start(&layer).await;
    for method in ["get", "Get", "GETS", "PURGE", "X", "TRACE", "M-SEARCH", "!"] {
        let line = format!("{method} / HTTP/1.1");
        assert_eq!(request(&server, &line, "").await, Answer::of(MISSING), "{method}");
        assert_eq!(
            request(&server, &line, &authorization).await,
            Answer::of(FORBIDDEN),
            "{method}"
        );
    }
    assert_eq!(server.reached(), 0);
    assert_eq!(request(&server, "GET / HTTP/1.1", &authorization).await, Answer::of(SERVED));
}

/// §9.3.2: `HEAD` gets the fields of `GET`, its length included, and no content: what follows on
/// the connection is the next answer.
#[tokio::test]
async fn rfc9110_9_3_2_head_gets_the_fields_and_no_content() {
    for vendor in shipped() {
        let (profile, server) =
            (vendor.profile, Server::start(&vendor.gate().build().unwrap()).await);
        for line in ["", "Authorization: Bearer x", "Authorization: Basic x"] {
            let mut client = Client::connect(&server).await;
            client.send(head("GET / HTTP/1.1", line)).await;
            client.send(head("HEAD / HTTP/1.1", line)).await;
            client.send(head("GET / HTTP/1.1", line)).await;
            let get = client.answer().await;
            let head = client.answer_to_head().await;
            assert_eq!(head, Answer { body: String::new(), ..get.clone() }, "{}", profile.name);
            assert_eq!(client.answer().await, get, "{}: nothing is left over", profile.name);
            assert!(!get.body.is_empty());
        }
    }
}

/// §9.3.7: `OPTIONS` needs a key as other methods do, on a resource and on the whole server.
#[tokio::test]
async fn rfc9110_9_3_7_options_needs_a_key() {
    let authorization = format!("Authorization: Bearer {KEY}");
    let server = Server::start(&rest()).await;
    for (target, served) in [("/", "acme OPTIONS / 0"), ("*", "acme OPTIONS * 0")] {
        let line = format!("OPTIONS {target} HTTP/1.1");
        assert_eq!(request(&server, &line, "").await, Answer::of(MISSING), "{target}");
        assert_eq!(request(&server, &line, &authorization).await.body, served);
    }
    // A form for `OPTIONS` alone (§7.1) is no way round for others.
    let answer = request(&server, "GET * HTTP/1.1", "").await;
    assert!(matches!(answer.status(), 400 | 401), "{answer:?}");
}

/// §9.3.7, and Fetch §4.8: a preflight passes without a key where that is set, and nothing else.
#[tokio::test]
async fn rfc9110_9_3_7_preflights_pass_where_they_may() {
    let layer = gate(vendors::REST_INTEGRATIONS, KEY, |key| key).allow_preflight();
    let server = Server::start(&layer.build().unwrap()).await;
    let preflight = "Origin: https://app.example.com\r\nAccess-Control-Request-Method: POST";
    for target in ["/", "*"] {
        let answer = request(&server, &format!("OPTIONS {target} HTTP/1.1"), preflight).await;
        assert_eq!(answer.body, format!("stranger OPTIONS {target} 0"));
    }
    for (line, lines, answer) in [
        ("OPTIONS / HTTP/1.1", "Origin: https://app.example.com".to_owned(), MISSING),
        ("OPTIONS / HTTP/1.1", "Access-Control-Request-Method: POST".to_owned(), MISSING),
        ("GET / HTTP/1.1", preflight.to_owned(), MISSING),
        ("options / HTTP/1.1", preflight.to_owned(), MISSING),
        ("OPTIONS / HTTP/1.1", format!("{preflight}\r\nAuthorization: Bearer {KEY}x"), INVALID),
    ] {
        assert_eq!(request(&server, line, &lines).await, Answer::of(answer), "{line} {lines}");
    }
    assert_eq!(server.reached(), 2);
}

const EXPECTING: &str = "Content-Length: 5\r\nExpect: 100-continue";

/// §10.1.1: who refuses by the fields alone says so instead of `100`, and reads no content.
#[tokio::test]
async fn rfc9110_10_1_1_a_refusal_comes_instead_of_100_continue() {
    let server = Server::start(&rest()).await;
    for (line, answer) in [
        (EXPECTING.to_owned(), MISSING),
        (format!("Authorization: Bearer {KEY}x\r\n{EXPECTING}"), INVALID),
        (
            format!("Authorization: Bearer {KEY}x\r\nExpect: 100-CONTINUE\r\nContent-Length: 5"),
            INVALID,
        ),
    ] {
        let mut client = Client::connect(&server).await;
        client.send(head("POST / HTTP/1.1", &line)).await;
        // The client has not sent its content, so the connection may end with this.
        let refused = client.answer().await.without_connection();
        assert_eq!(refused, Answer::of(answer), "{line}");
    }
    assert_eq!(server.reached(), 0);
}

/// §10.1.1: a client whose key serves is told to go on.
#[tokio::test]
async fn rfc9110_10_1_1_a_key_that_serves_gets_100_continue() {
    let server = Server::start(&rest()).await;
    let mut client = Client::connect(&server).await;
    client
        .send(head("POST / HTTP/1.1", format!("Authorization: Bearer {KEY}\r\n{EXPECTING}")))
        .await;
    assert_eq!(client.answer().await, Answer::of("HTTP/1.1 100 Continue"));
    client.send("hello").await;
    assert_eq!(client.answer().await.body, "acme POST / 5");
}

/// A store that answers after a while.
struct Late(MemoryStore);

impl KeyStore for Late {
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        let (store, digest) = (self.0.clone(), *digest);
        Reply::later(async move {
            tokio::time::sleep(Duration::from_millis(400)).await;
            store.find(&digest).await
        })
    }
}

/// §10.1.1: nobody is told to go on before the decision.
#[tokio::test]
async fn rfc9110_10_1_1_no_100_continue_before_the_decision() {
    let layer = ApiKeyLayer::builder(vendors::REST_INTEGRATIONS, Late(store(|key| key)));
    let server = Server::start(&layer.without_limits().build().unwrap()).await;
    for (key, first) in [(KEY, 100), ("unknown_0123456789abcdef", 401)] {
        let mut client = Client::connect(&server).await;
        let lines = format!("Authorization: Bearer {key}\r\n{EXPECTING}");
        client.send(head("POST / HTTP/1.1", lines)).await;
        assert!(client.hears_nothing().await, "the store has not answered yet");
        assert_eq!(client.answer().await.status(), first);
    }
}
