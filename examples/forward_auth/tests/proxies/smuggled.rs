//! Headers that a client sends in the hope that the proxy, the checker or the service believes them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::client::{Answer, plain};
use crate::upstream::Received;
use crate::world::{CLIENT, World};

const METHODS: &str =
    "X-Forwarded-Method: GET\nX-Original-Method: GET\nX-HTTP-Method-Override: GET\n";
const PATHS: &str = "X-Forwarded-Uri: /v1/users\nX-Original-URI: /v1/users\nX-Original-Url: /v1/users\n\
    X-Rewrite-Url: /v1/users\nX-Envoy-Original-Path: /v1/users\nX-Forwarded-Prefix: /v1\n";
const SCHEMES: &str = "X-Forwarded-Proto: https\nForwarded: for=127.0.0.2;proto=https\nX-Scheme: https\n\
    X-Forwarded-Ssl: on\nX-Url-Scheme: https\nFront-End-Https: on\n";
const ADDRESSES: &str = "X-Forwarded-For: 127.0.0.2\nForwarded: for=127.0.0.2;proto=https\nX-Real-Ip: 127.0.0.2\n\
    True-Client-Ip: 127.0.0.2\nX-Envoy-External-Address: 127.0.0.2\n";

pub(crate) async fn headers_give_nothing(world: &World) {
    claims_of_identity(world).await;
    descriptions_of_another_request(world).await;
    instructions_to_the_service(world).await;
    upgrades(world).await;
    questions_of_a_client(world).await;
}

/// The service reads no identity but the gate's.
async fn claims_of_identity(world: &World) {
    let key = "X-Api-Key: {writer}\n"; // which has no metadata
    for (lines, must_pass) in [
        ("X-Account-Id: victim\nX-Key-Id: victim\nX-Key-Metadata: victim\n", true),
        ("X-Account-Id: victim\nX-Account-Id: victim\nX-Request-Id: victim\n", true),
        ("x-aCCOUNT-iD: victim\nX-Key-Environment: victim\n", true),
        ("X_Account_Id: victim\nX_Key_Id: victim\n", false),
        ("X-Account_Id: victim\nX_Key-Metadata: victim\n", false),
        ("X.Account.Id: victim\n", false),
        ("X-Account-Id : victim\n", false),
        ("A: b\n X-Account-Id: victim\n", false),
        ("Connection: close, x-account-id, x-key-id, x-request-id\nX-Account-Id: victim\n", false),
        ("Connection: close, x-forwarded-for, x-forwarded-proto, forwarded\n", false),
        ("Connection: close, x-forwarded-uri, x-original-uri, x-forwarded-method\n", true),
        ("Connection: close, x-api-key\n", false),
        ("RateLimit: victim\nX-Forward-Auth-Refusal: victim\n", true),
    ] {
        let answer = world.send("GET /v1/users", &format!("{key}{lines}"), "").await;
        assert!(answer.status == 200 || !must_pass, "{lines}: {answer:?}");
        if answer.status != 200 {
            continue;
        }
        let received = Received::of(&answer);
        assert_eq!(received.field("x-account-id"), Some("account_of_writer"), "{lines}");
        assert_eq!(received.field("x-key-id"), Some("key_of_writer"), "{lines}");
        assert_eq!(received.field("x-key-environment"), Some("test"), "{lines}");
        assert_eq!(received.field("x-key-metadata"), None, "{lines}");
        assert_ne!(received.field("x-request-id"), Some("victim"), "{lines}");
        assert_eq!(received.field("x-api-key"), None, "{lines}");
        assert!(!answer.lines("ratelimit").contains(&"victim"), "{lines}");
    }
}

/// Another method, path, scheme or address than the request's own counts for nothing.
async fn descriptions_of_another_request(world: &World) {
    let before = world.upstream.count().await;
    let doubled = "Authorization: Bearer {active}\nAuthorization: Bearer {active}\n";
    for (start, lines, https, from) in [
        ("POST /v1/users", format!("X-Api-Key: {{active}}\n{METHODS}"), true, CLIENT),
        ("GET /v1/keys", format!("X-Api-Key: {{active}}\n{PATHS}"), true, CLIENT),
        ("POST /v1/keys", format!("X-Api-Key: {{active}}\n{PATHS}{METHODS}"), true, CLIENT),
        ("GET /v1/users", format!("X-Api-Key: {{active}}\n{SCHEMES}"), false, CLIENT),
        ("GET /v1/users", format!("X-Api-Key: {{local}}\n{ADDRESSES}"), true, "127.0.0.3"),
        ("GET /v1/users", doubled.to_owned(), true, CLIENT),
        ("GET /v1/users", "X-Api-Key: {active}\nX-Api-Key: {writer}\n".to_owned(), true, CLIENT),
        ("GET /v1/users", "X-Api-Key: {active}, {active}\n".to_owned(), true, CLIENT),
    ] {
        let answer = if https {
            world.send_from(from, start, &lines, "").await
        } else {
            world.send_plain(start, &lines).await
        };
        assert!((400..404).contains(&answer.status), "{start} {lines}: {answer:?}");
    }
    // The same headers change nothing for a request that passes.
    let all = format!("X-Api-Key: {{local}}\n{METHODS}{PATHS}{ADDRESSES}");
    assert_eq!(world.send("GET /v1/users", &all, "").await.status, 200);
    assert_eq!(world.upstream.count().await - before, 1);
}

/// Frameworks take the method, the path, the host or the client from such headers, after the gate has judged others.
async fn instructions_to_the_service(world: &World) {
    for (name, value) in [
        ("X-HTTP-Method-Override", "DELETE"),
        ("x-http-method-override", "DELETE"),
        ("X-HTTP-Method", "DELETE"),
        ("X-Method-Override", "DELETE"),
        ("X-Original-URL", "/v1/keys"),
        ("X-Rewrite-URL", "/v1/keys"),
        ("X-Forwarded-Host", "victim.example.com"),
        ("Forwarded", "for=127.0.0.9;proto=https"),
        ("X-Real-IP", "127.0.0.9"),
        ("X.Original.URL", "/v1/keys"),
        ("X.HTTP.Method.Override", "DELETE"),
        ("X_HTTP_Method_Override", "DELETE"),
        ("X-HTTP_Method", "DELETE"),
        ("X_Method-Override", "DELETE"),
        ("X_Original_URL", "/v1/keys"),
        ("X_Rewrite_URL", "/v1/keys"),
        ("X_Real_IP", "127.0.0.9"),
        ("X_Forwarded_For", "127.0.0.9"),
        ("X_Forwarded_Proto", "http"),
        ("X_Forwarded-Host", "victim.example.com"),
    ] {
        let lines = format!("X-Api-Key: {{local}}\n{name}: {value}\n");
        let answer = world.send("GET /v1/users", &lines, "").await;
        if name.contains(['_', '.']) && answer.status == 400 {
            continue;
        }
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
        let read = name.replace(['_', '.'], "-").to_ascii_lowercase();
        assert_ne!(Received::of(&answer).field(&read), Some(value), "{name}");
    }
}

/// No client gets a tunnel to the service, through which it could send requests that no gate has judged.
async fn upgrades(world: &World) {
    let settings = "HTTP2-Settings: AAMAAABkAAQAAP__\n";
    for lines in [
        format!("Connection: Upgrade, HTTP2-Settings\nUpgrade: h2c\n{settings}"),
        format!("Connection: upgrade\nUpgrade: H2C\n{settings}"),
        format!("Connection: close, Upgrade\nUpgrade: h2c\n{settings}"),
        "Connection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n"
            .to_owned(),
        "Connection: Upgrade\nUpgrade: anything\n".to_owned(),
    ] {
        let lines = format!("X-Api-Key: {{active}}\n{lines}");
        let answer = world.send("GET /v1/users", &lines, "").await;
        assert!(answer.status != 101 && answer.status != 0, "{lines}: {answer:?}");
        if answer.status == 200 {
            let received = Received::of(&answer);
            assert_eq!(received.field("upgrade"), None, "{lines}");
            assert_eq!(received.field("http2-settings"), None, "{lines}");
        }
    }
}

/// A client that asks the checker itself, over the proxy or directly, learns nothing.
async fn questions_of_a_client(world: &World) {
    let before = world.upstream.count().await;
    let forged = URL_SAFE_NO_PAD.encode("418\nx-forged:1\n\nforged");
    let question = format!(
        "X-Api-Key: {{active}}\nX-Forwarded-Method: GET\nX-Forwarded-Uri: /v1/users\nX-Original-Method: GET\n\
        X-Original-URI: /v1/users\nX-Forwarded-Proto: https\nX-Forwarded-For: 127.0.0.2\n\
        Forwarded: for=127.0.0.2;proto=https\nX-Forward-Auth-Refusal: {forged}\n"
    );
    let is_nothing = |answer: &Answer| {
        (400..=500).contains(&answer.status)
            && answer.status != 418
            && answer.lines("x-account-id").is_empty()
            && answer.lines("ratelimit-policy").len() < 2
    };
    for path in
        ["/check", "/check/v1/users", "/check/refusal", "/_forward_auth", "/_forward_auth_refusal"]
    {
        let answer = world.send(&format!("GET {path}"), &question, "").await;
        assert!(is_nothing(&answer), "{path}: {answer:?}");
    }
    for path in ["/check", "/check/v1/users", "/check/refusal", "/v1/users"] {
        let lines = world.fill(&question).replace('\n', "\r\n");
        let bytes = format!("GET {path} HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
        let answer = plain(CLIENT, world.checker, bytes.as_bytes()).await;
        assert!(is_nothing(&answer), "{path}: {answer:?}");
        assert!(matches!(answer.status, 403 | 404 | 500), "{path}: {answer:?}");
    }
    // A refusal that the client forges is not the gate's.
    let answer = world.send("GET /v1/users", &question.replace("X-Api-Key", "X-Other"), "").await;
    assert_eq!(answer.status, 401, "{answer:?}");
    assert_eq!(world.upstream.count().await, before);
}
