//! What servers write of requests with a key at TRACE, over both versions of HTTP and over TLS. The
//! client sends bytes, so nothing that is heard is its own.

use std::collections::BTreeSet;

use tokio::io::{AsyncRead, AsyncWrite};
use tower::buffer::Buffer;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::key::KeyRecordBuilder;

use crate::canary::{Canary, basic, printed};
use crate::frames::{Field, Frames, Outcome, PROTOCOL_ERROR};
use crate::server::Server;
use crate::support::text;
use crate::traced;
use crate::vendors::{Log, Vendor, World, all};
use crate::wire::Client;

/// Lists the lines that a client writes with its key, right and wrong.
fn lines(vendor: &Vendor) -> Vec<(&'static str, String)> {
    let (key, line) = (&vendor.canary.key, &vendor.line);
    vec![
        ("authorization", line.clone()),
        ("authorization", format!("{line}x")),
        ("authorization", format!("{line}, {line}")),
        ("authorization", format!("Bearer {key}%")),
        ("authorization", format!("Bearer {}", key.repeat(20))),
        ("authorization", format!("Digest {key}")),
        ("authorization", basic(key, key)),
        ("authorization", key.clone()),
        ("proxy-authorization", line.clone()),
        ("x-api-key", key.clone()),
        ("cookie", format!("key={key}")),
        ("content-type", key.clone()),
        ("referer", format!("https://api.example.com/?key={key}")),
    ]
}

/// Lists targets with a key.
fn targets(key: &str) -> Vec<String> {
    vec![format!("/{key}"), format!("/?key={key}"), format!("/place?{key}")]
}

/// Sends them over one connection, and returns the statuses of the answers.
async fn over_http1(
    mut client: Client<impl AsyncRead + AsyncWrite + Unpin>,
    vendor: &Vendor,
) -> BTreeSet<u16> {
    let key = &vendor.canary.key;
    let mut requests: Vec<(String, String)> = Vec::new();
    for (name, value) in lines(vendor) {
        requests.push(("/".to_owned(), format!("{name}: {value}\r\n")));
    }
    for target in targets(key) {
        requests.push((target, format!("authorization: {}\r\n", vendor.line)));
    }
    requests.push((format!("https://api:{key}@api.example.com/"), String::new()));
    let mut statuses = BTreeSet::new();
    for (target, line) in requests {
        client.send(format!("GET {target} HTTP/1.1\r\nhost: localhost\r\n{line}\r\n")).await;
        let answer = client.answer().await;
        vendor.canary.is_not_in(&printed(&answer), &target);
        statuses.insert(answer.status());
    }
    statuses
}

/// Sends what is no HTTP, of which the server says no more than that.
async fn broken_http1(server: &Server, key: &str) {
    for head in [
        format!("GET / HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\u{1}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nhost: localhost\r\nauthorization {key}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nhost: localhost\r\n{key}: x\u{0}\r\n\r\n"),
        format!("GET /?{key} y HTTP/1.1\r\nhost: localhost\r\n\r\n"),
        format!("{key}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nhost: localhost\r\ncontent-length: {key}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: {key}\r\n\r\n"),
        format!(
            "POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n{key}\r\n"
        ),
    ] {
        let mut client = Client::connect(server).await;
        client.send(head).await;
        let _ = client.next().await;
    }
}

/// Sends a request over a connection of its own.
async fn ask(server: &Server, path: &str, more: &[Field<'_>]) -> Outcome {
    let path = path.as_bytes();
    let get: [Field<'_>; 4] = [
        (b":method", b"GET"),
        (b":scheme", b"https"),
        (b":authority", b"api.example.com"),
        (b":path", path),
    ];
    crate::frames::ask(server, &[&get[..], more].concat()).await
}

async fn over_http2(server: &Server, vendor: &Vendor) {
    for (name, value) in lines(vendor) {
        let outcome = ask(server, "/", &[(name.as_bytes(), value.as_bytes())]).await;
        assert!(matches!(outcome, Outcome::Answered(..)), "{name}: {outcome:?}");
        vendor.canary.is_not_in(&printed(&outcome), name);
    }
    for target in targets(&vendor.canary.key) {
        let outcome = ask(server, &target, &[(b"authorization", vendor.line.as_bytes())]).await;
        assert!(matches!(outcome, Outcome::Answered(..)), "{outcome:?}");
    }
    let key = vendor.canary.key.as_bytes();
    // A field that is none; its stream ends.
    for field in [(&b"Authorization"[..], key), (key, b"\0"), (b"connection", key)] {
        let outcome = ask(server, "/", &[field]).await;
        assert!(!matches!(outcome, Outcome::Answered(..)), "{outcome:?}");
    }
}

#[tokio::test]
async fn no_server_writes_a_key() {
    traced::write_down();
    for vendor in all() {
        let mut statuses = BTreeSet::new();
        // The first has one request an hour, and the other has the vendor's quotas.
        let as_it_is: fn(KeyRecordBuilder) -> KeyRecordBuilder = |key| key;
        for change in [as_it_is, KeyRecordBuilder::inherit_quotas] {
            let layer = vendor.layer(World::Record(change), &Log::default());
            let server = Server::start(&layer).await;
            statuses.extend(over_http1(Client::connect(&server).await, &vendor).await);
            broken_http1(&server, &vendor.canary.key).await;
            over_http2(&server, &vendor).await;
            let (server, certificate) = Server::with_tls(&layer).await;
            let versions = rustls::DEFAULT_VERSIONS;
            let stream = server.handshake(&certificate, versions, "http/1.1").await;
            statuses.extend(over_http1(Client::over(stream), &vendor).await);
        }
        assert!([200, 401, 429].iter().all(|status| statuses.contains(status)), "{statuses:?}");
        traced::shows_nothing_of(&vendor.canary);
    }
    // hyper itself writes nothing, unless it is built with a flag that it calls unstable.
    for who in ["h2", "rustls"] {
        traced::is_heard(who);
    }
}

/// h2 quotes what it does not understand of a request line, before the gate sees anything of it.
/// SECURITY.md says so; should it end, this fails, and so should the line there.
#[tokio::test]
async fn h2_writes_what_is_no_target() {
    traced::write_down();
    let layer = all().remove(1).layer(World::Unknown, &Log::default());
    let server = Server::start(&layer).await;
    let canary = Canary::new("canary_", 40);
    let key = canary.key.as_str();
    let (authority, path) = (format!("api:{key}@<"), format!("/?key={key} "));
    for (authority, path) in [(authority.as_str(), "/"), ("localhost", path.as_str())] {
        let fields: [Field<'_>; 4] = [
            (b":method", b"GET"),
            (b":scheme", b"https"),
            (b":authority", authority.as_bytes()),
            (b":path", path.as_bytes()),
        ];
        let mut frames = Frames::connect(&server).await;
        frames.open(&fields, true).await;
        assert_eq!(frames.outcome().await, Outcome::Reset(PROTOCOL_ERROR), "{authority} {path}");
    }
    let outcome = ask(&server, "/", &[(b"te", key.as_bytes())]).await;
    assert_eq!(outcome, Outcome::Reset(PROTOCOL_ERROR));
    let is_known = |line: &str| {
        let quotes = ["malformed authority", "malformed path", "TE header not set"];
        line.starts_with("h2::") && quotes.iter().any(|quote| line.contains(quote))
    };
    traced::shows_only(&canary, is_known);
    let lines = traced::lines();
    let telling = lines.iter().filter(|line| !canary.shown_in(line).is_empty());
    assert_eq!(telling.count(), 3);
}

/// A buffer of tower's writes of what goes through it.
#[tokio::test]
async fn no_buffer_writes_a_key() {
    traced::write_down();
    for vendor in all() {
        let layer = vendor.layer(World::Record(|key| key), &Log::default());
        let gate = layer.layer(service_fn(|request: http::Request<()>| async move {
            let answer = http::Response::new(http_body_util::Full::<bytes::Bytes>::default());
            drop(request);
            Ok::<_, std::convert::Infallible>(answer)
        }));
        let buffer = Buffer::new(gate, 1);
        for path in ["/", "/scope"] {
            let answer = buffer.clone().oneshot(vendor.request(path)).await.unwrap();
            vendor.canary.is_not_in(&text(answer).await, path);
        }
        traced::shows_nothing_of(&vendor.canary);
    }
    traced::is_heard("tower::buffer");
}
