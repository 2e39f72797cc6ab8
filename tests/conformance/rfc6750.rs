//! RFC 6750: the Bearer scheme.

use bytes::Bytes;
use http::Response;
use http::request::Parts;
use http_body_util::Full;
use tower_api_key::clock::Timestamp;
use tower_api_key::key::KeyRecordBuilder;
use tower_api_key::rules::Routes;
use tower_api_key::{Denial, refusal, vendors};

use super::answers::{FORBIDDEN, HTTPS, INVALID, MALFORMED, MISSING, SERVED};
use super::challenge::{challenge, parameter};
use super::gates::{gate, rest};
use super::server::Server;
use super::wire::{Answer, Client, get, head, request};
use crate::support::KEY;

/// §2.1: `b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`.
#[tokio::test]
async fn rfc6750_2_1_tokens_follow_the_grammar() {
    let server = Server::start(&rest()).await;
    for (token, answer) in [
        (KEY, SERVED),
        ("  key_0123456789abcdef", SERVED), // 1*SP
        ("-._~+/-._~+/-._~+/", INVALID),
        ("key_0123456789abcdef=", INVALID),
        ("key_0123456789abcdef===", INVALID),
        ("KEY_0123456789ABCDEF", INVALID), // tokens are case-sensitive
        ("", MALFORMED),
        ("=", MALFORMED),
        ("=key_0123456789abcdef", MALFORMED),
        ("key_=0123456789abcdef", MALFORMED),
        ("key_0123456789 abcdef", MALFORMED),
        ("\tkey_0123456789abcdef", MALFORMED),
        ("\"key_0123456789abcdef\"", MALFORMED),
        ("<key_0123456789abcdef>", MALFORMED),
        ("key_0123456789abcdef,", MALFORMED),
        ("key_0123456789abcdef;q=1", MALFORMED),
        ("key_0123456789abcde%66", MALFORMED),
        ("token=key_0123456789abcdef", MALFORMED),
        ("key_0123456789abcdef, Bearer key_0123456789abcdef", MALFORMED),
    ] {
        let answered = get(&server, format!("Authorization: Bearer {token}")).await;
        assert_eq!(answered, Answer::of(answer), "{token:?}");
    }
    assert_eq!(server.reached(), 2);
}

/// §2.2 and §2.3: tokens in the content or in the query do not authenticate here.
#[tokio::test]
async fn rfc6750_2_3_no_other_method_of_transmission_is_read() {
    let server = Server::start(&rest()).await;
    for target in ["/?access_token=", "/?key=", "/?api_key=", "/?authorization=Bearer%20"] {
        let answered = request(&server, &format!("GET {target}{KEY} HTTP/1.1"), "").await;
        assert_eq!(answered, Answer::of(MISSING), "{target}");
    }
    let mut form = Client::connect(&server).await;
    let lines = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 33";
    form.send(head("POST / HTTP/1.1", lines)).await;
    form.send(format!("access_token={KEY}")).await;
    assert_eq!(form.answer().await.status(), 401);
    for lines in [format!("Cookie: access_token={KEY}"), format!("X-Api-Key: {KEY}")] {
        assert_eq!(get(&server, &lines).await, Answer::of(MISSING), "{lines}");
    }
    assert_eq!(server.reached(), 0);
}

/// §3.1: a request that lacks authentication information gets no error code.
#[tokio::test]
async fn rfc6750_3_1_no_credentials_no_error() {
    let server = Server::start(&rest()).await;
    for lines in ["", "Authorization: Basic YXBpOktFWQ==", "Authorization: Digest username=\"x\""] {
        let answer = get(&server, lines).await;
        assert_eq!(answer, Answer::of(MISSING), "{lines}");
        let challenge = challenge(answer.field("www-authenticate").unwrap());
        assert_eq!(parameter(&challenge, "error"), None);
    }
}

/// §3.1: `invalid_token` for a key that does not serve, whatever the reason, to the byte.
#[tokio::test]
async fn rfc6750_3_1_invalid_token() {
    let changes: [fn(KeyRecordBuilder) -> KeyRecordBuilder; 4] = [
        |key| key.revoked(true),
        |key| key.disabled(true),
        |key| key.expires(Timestamp::from_unix_seconds(1)),
        |key| key.not_before(Timestamp::from_unix_seconds(9_000_000_000)),
    ];
    let line = format!("Authorization: Bearer {KEY}");
    for change in changes {
        let layer = gate(vendors::REST_INTEGRATIONS, KEY, change).build().unwrap();
        assert_eq!(get(&Server::start(&layer).await, &line).await, Answer::of(INVALID));
    }
    let server = Server::start(&rest()).await;
    let answer = get(&server, format!("{line}x")).await;
    assert_eq!(answer, Answer::of(INVALID), "unknown");
    assert_eq!(get(&server, "Authorization: Bearer short").await, answer, "no key at all");
}

/// §3.1: `invalid_request` for a request that repeats or breaks what it must have once.
#[tokio::test]
async fn rfc6750_3_1_invalid_request() {
    let server = Server::start(&rest()).await;
    let line = format!("Authorization: Bearer {KEY}");
    for lines in [format!("{line}\r\n{line}"), format!("{line},x"), "Authorization: Bearer".into()]
    {
        assert_eq!(get(&server, &lines).await, Answer::of(MALFORMED), "{lines}");
    }
}

/// §3.1: `insufficient_scope`, with the scope that the request needs (§3).
#[tokio::test]
async fn rfc6750_3_1_insufficient_scope() {
    let routes = || Routes::new().rows(vendors::rest_integrations::ROUTES);
    let reader = gate(vendors::REST_INTEGRATIONS, KEY, |key| key.scopes(["users.read"]));
    let server = Server::start(&reader.routes(routes()).build().unwrap()).await;
    let line = format!("Authorization: Bearer {KEY}");
    let answer = request(&server, "GET /v1/users HTTP/1.1", &line).await;
    assert_eq!(answer.body, "acme GET /v1/users 0");
    for method in ["POST", "PUT", "DELETE"] {
        let answer = request(&server, &format!("{method} /v1/users HTTP/1.1"), &line).await;
        let needed = r#"Bearer realm="REST API Integrations", error="insufficient_scope", scope="users.write""#;
        let mut expected = Answer::of(FORBIDDEN);
        expected.fields.push(("www-authenticate".to_owned(), needed.to_owned()));
        assert_eq!(answer, expected, "{method}");
    }
    assert_eq!(server.reached(), 1);
}

/// §3: scope values are `%x21 / %x23-5B / %x5D-7E`; whatever a handler asks for, the challenge
/// stays one.
#[tokio::test]
async fn rfc6750_3_no_scope_breaks_out_of_its_attribute() {
    let server = Server::serving(&rest(), |parts: &Parts, _| -> Response<Full<Bytes>> {
        let needed = parts.headers["needed"].to_str().unwrap();
        refusal(Denial::ScopeMissing { needed: needed.into() })
    })
    .await;
    for (needed, scope) in [
        ("a b:c/d", Some("a b:c/d")),
        ("a  b", None),
        (r#"a", error="invalid_token"#, None),
        (r"a\", None),
        (r#"""#, None),
    ] {
        let lines = format!("Authorization: Bearer {KEY}\r\nNeeded: {needed}");
        let answer = get(&server, lines).await;
        assert_eq!(answer.status(), 403, "{needed}");
        let challenge = challenge(answer.field("www-authenticate").unwrap());
        assert_eq!(parameter(&challenge, "error"), Some("insufficient_scope"), "{needed}");
        assert_eq!(parameter(&challenge, "scope"), scope, "{needed}");
    }
}

/// §5.3: tokens are sent over TLS only; one that was not is refused unseen.
#[tokio::test]
async fn rfc6750_5_3_tokens_need_tls() {
    let server = Server::plain(&rest()).await;
    for token in [KEY, "unknown_0123456789abcdef", "x"] {
        let answer = get(&server, format!("Authorization: Bearer {token}")).await;
        assert_eq!(answer, Answer::of(HTTPS), "{token}");
    }
    assert_eq!(get(&server, "").await, Answer::of(HTTPS));
    assert_eq!(server.reached(), 0);
}
