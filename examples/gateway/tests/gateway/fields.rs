//! The fields that upstreams and clients receive.

use std::env;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use tower_api_key::ApiKeyLayerBuilder;
use tower_api_key::request::TrustedProxies;

use crate::raw::{self, fields};
use crate::site::{Site, one};

/// A WSGI program that answers with the variables of a request's fields.
const WSGI: &str = r"
from wsgiref.simple_server import make_server, WSGIRequestHandler
class Quiet(WSGIRequestHandler):
    def log_message(self, *args): pass
def app(environ, start):
    start('200 OK', [('Content-Type', 'text/plain')])
    told = ['%s=%s\n' % pair for pair in sorted(environ.items()) if pair[0].startswith('HTTP_')]
    return [''.join(told).encode('latin-1')]
server = make_server('127.0.0.1', 0, app, handler_class=Quiet)
print(server.server_port, flush=True)
server.serve_forever()
";

#[tokio::test]
async fn what_a_client_lists_stays_on_its_connection_and_nothing_else() {
    let (backend, mut received) = raw::upstream(raw::OK).await;
    let gateway = Site::before(backend).await;
    for (lines, expected) in [
        (&b""[..], &[][..]),
        (b"Connection: x-hop\r\nX-End: 2\r\n", &["x-end: 2"]),
        (b"Connection: close, Keep-Alive ,,\tte\r\nKeep-Alive: 1\r\nTE: gzip\r\n", &[]),
        // An option that is not a token names nothing.
        (b"Connection: x-evil\xff\r\nX-Evil: 1\r\n", &["x-evil: 1"]),
        // Fields for every recipient are not connection options.
        (b"Connection: forwarded, via, cookie, true-client-ip\r\n", &[]),
        // Known fields are removed, whether or not `Connection` names them.
        (
            b"Keep-Alive: timeout=5\r\nTE: trailers\r\nUpgrade: websocket\r\nProxy-Connection: x\r\nProxy-Authorization: x\r\nProxy-Authenticate: x\r\nTrailer: x\r\nHTTP2-Settings: x\r\nProxy: http://evil\r\n",
            &["connection: te", "te: trailers", "trailer: x"],
        ),
        // Only the gateway states the identity.
        (b"Connection: x-account-id, X-Key-Id\r\n", &[]),
        (b"X-Account-Id: forged\r\nX-Key-Id: forged\r\nX-Account-Id: again\r\n", &[]),
        (
            b"X_Account_Id: forged\r\nx_key_id: forged\r\nX-Account_Id: forged\r\nX.Account.Id: forged\r\n",
            &[],
        ),
        (b"X_Forwarded_For: 6.6.6.6\r\nX_Forwarded-Host: evil\r\nX_Real_IP: 6.6.6.6\r\nX-Plain: 1\r\n", &["x-plain: 1"]),
    ] {
        let shown = lines.escape_ascii();
        let answer = gateway.get(lines).await;
        assert!(answer.starts_with("http/1.1 200 "), "{shown}: {answer}");
        let mut expected = expected.to_vec();
        expected.extend(WRITTEN);
        expected.sort_unstable();
        let message = received.recv().await.unwrap();
        assert_eq!(fields(&message), expected, "{shown}");
    }
    // The gate may have demanded what `Connection` names.
    for lines in [
        &b"Connection: x-hop\r\nX-Hop: 1\r\n"[..],
        b"Connection: close, X-HOP ,,\tx-other\r\nX-Other: 2\r\n",
        b"Connection: a\r\nConnection: b\r\nB: 2\r\n",
        b"Connection: x-evil, \xff\r\nX-Evil: 1\r\n",
        b"Connection: \xe2\x82\xac,x-evil,a b,\"x\"\r\nX-Evil: 1\r\n",
        b"Connection: host, Host\r\n",
        b"Connection: x-forwarded-for\r\n",
        b"Connection: cookie\r\nCookie: a=b\r\n",
        b"Connection: x-account-id\r\nX-Account-Id: forged\r\n",
    ] {
        let answer = gateway.get(lines).await;
        assert_eq!(raw::status(&answer), 400, "{}: {answer}", lines.escape_ascii());
    }
    assert!(received.try_recv().is_err(), "no other request reached the backend");
}

/// A gate that admits requests without a key leaves no way to forge one's identity.
#[tokio::test]
async fn an_anonymous_request_has_no_identity() {
    let (backend, mut received) = raw::upstream(raw::OK).await;
    let site = Site::with(&one(backend, ""), ApiKeyLayerBuilder::optional).await;
    let lines = "GET /a HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n\
                 X-Account-Id: victim\r\nx-account-id: victim\r\nX_Account_Id: victim\r\nX-Key-Id: v\r\n\
                 X-Key-Environment: live\r\nX-Team: v\r\nX-End: 1\r\n\r\n";
    let mut stream = tokio::net::TcpStream::connect(site.address).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, lines.as_bytes()).await.unwrap();
    let answer = raw::read_message(&mut stream).await;
    assert_eq!(raw::status(&answer), 200, "{answer}");
    let message = received.recv().await.unwrap();
    assert_eq!(
        fields(&message),
        [
            "forwarded: for=192.0.2.1;host=\"a\";proto=https",
            "host: a",
            "via: 1.1 gateway",
            "x-end: 1",
            "x-forwarded-for: 192.0.2.1",
            "x-forwarded-host: a",
            "x-forwarded-proto: https",
        ]
    );
}

/// A peer that is no trusted proxy describes only itself.
#[tokio::test]
async fn forwarding_fields_of_a_client_are_not_passed_on() {
    let (backend, mut received) = raw::upstream(raw::OK).await;
    let site = Site::with(&one(backend, ""), |builder| {
        builder.trusted_proxies(TrustedProxies::default()).assume_https()
    })
    .await;
    let forged = b"Forwarded: for=6.6.6.6;proto=https;host=evil\r\nX-Forwarded-Host: evil\r\n\
                   X-Real-IP: 6.6.6.6\r\nTrue-Client-IP: 6.6.6.6\r\nCF-Connecting-IP: 6.6.6.6\r\n\
                   X-Original-URL: /evil\r\nX-Rewrite-URL: /evil\r\nX-Forwarded-Prefix: /evil\r\n\
                   X-HTTP-Method-Override: evil\r\nX-HTTP-Method: evil\r\nX-Method-Override: evil\r\n\
                   X-Forwarded-Port: 666\r\nX-Envoy-External-Address: 6.6.6.6\r\n";
    let answer = site.get(forged).await;
    assert_eq!(raw::status(&answer), 200, "{answer}");
    let message = received.recv().await.unwrap();
    for part in ["6.6.6.6", "evil", "666", "192.0.2.1"] {
        assert!(!message.contains(part), "{message}");
    }
    assert!(message.contains("x-forwarded-for: 127.0.0.1\r\n"), "{message}");
    assert!(message.contains("forwarded: for=127.0.0.1;host=\"named.example\";"), "{message}");
}

#[tokio::test]
async fn a_request_is_for_one_host() {
    let (backend, mut received) = raw::upstream(raw::OK).await;
    let gateway = Site::before(backend).await;
    for (start, lines, told) in [
        ("GET /a HTTP/1.1", "Host: a.example\r\n", Some("host: a.example")),
        ("GET /a HTTP/1.1", "Host: a.example:8080\r\n", Some("host: a.example:8080")),
        ("GET /a HTTP/1.1", "Host: [2001:db8::1]:80\r\n", Some("host: [2001:db8::1]:80")),
        ("GET http://b.example/a HTTP/1.1", "Host: a.example\r\n", Some("host: b.example")),
        ("GET http://me@b.example/a HTTP/1.1", "Host: a.example\r\n", Some("host: b.example")),
        ("GET /a HTTP/1.0", "Host: a.example\r\n", Some("host: a.example")),
        ("GET /a HTTP/1.0", "", Some("host: ")),
        ("GET /a HTTP/1.1", "Host:\r\n", Some("host: ")),
        ("GET /a HTTP/1.1", "Host: a.example\r\nHost: b.example\r\n", None),
        ("GET /a HTTP/1.1", "Host: a.example\r\nHost: a.example\r\n", None),
        ("GET /a HTTP/1.0", "Host: a.example\r\nHost: b.example\r\n", None),
        ("GET http://a.example/ HTTP/1.1", "Host: a.example\r\nHost: b.example\r\n", None),
        ("GET /a HTTP/1.1", "Host: a.example\r\nConnection: host\r\nHost: b.example\r\n", None),
        ("GET /a HTTP/1.1", "", None),
        ("GET /a HTTP/1.1", "Host: a b\r\n", None),
        ("GET /a HTTP/1.1", "Host: a.example/b\r\n", None),
        ("GET /a HTTP/1.1", "Host: me@a.example\r\n", None),
    ] {
        let answer = gateway.send(start, lines.as_bytes(), "").await;
        match told {
            None => assert_eq!(answer.split(' ').nth(1), Some("400"), "{start} {lines}: {answer}"),
            Some(told) => {
                let message = received.recv().await.unwrap();
                let hosts: Vec<_> =
                    fields(&message).into_iter().filter(|line| line.starts_with("host:")).collect();
                assert_eq!(hosts, [told], "{start} {lines}: {message}");
            }
        }
    }
    assert!(received.try_recv().is_err(), "no other request reached the backend");
}

/// The length that a transfer coding overrides and the trailers are not forwarded.
#[tokio::test]
async fn a_body_is_framed_anew() {
    let (backend, mut received) = raw::upstream(raw::OK).await;
    let gateway = Site::before(backend).await;
    let chunked = "5\r\nhello\r\n0\r\nX-Account-Id: forged\r\nX-Hop: 1\r\n\r\n";
    for lines in [
        "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTrailer: x-account-id\r\nTE: trailers\r\n",
        "Transfer-Encoding: chunked\r\nConnection: transfer-encoding, x-hop\r\n",
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
    ] {
        let lines = format!("Host: a.example\r\n{lines}");
        let answer = gateway.send("POST /a HTTP/1.1", lines.as_bytes(), chunked).await;
        if answer.starts_with("http/1.1 400 ") {
            assert!(lines.contains("Length"), "the server may refuse two framings: {answer}");
            continue;
        }
        let message = received.recv().await.unwrap();
        assert!(message.ends_with("\r\n\r\n5\r\nhello\r\n0\r\n\r\n"), "{lines}: {message}");
        assert!(!message.contains("content-length") && !message.contains("forged"), "{message}");
    }
    let with_length = b"Host: a.example\r\nContent-Length: 5\r\nConnection: close\r\n";
    gateway.send("POST /a HTTP/1.1", with_length, "hello").await;
    let message = received.recv().await.unwrap();
    assert!(message.contains("content-length: 5\r\n") && message.ends_with("\r\n\r\nhello"));
}

#[tokio::test]
async fn what_a_backend_lists_stays_on_its_connection() {
    for (answer, expected) in [
        (
            &b"HTTP/1.1 200 OK\r\nConnection: close, x-hop, \xff\r\nX-Hop: 1\r\nKeep-Alive: x\r\nX-End: 2\r\nContent-Length: 0\r\n\r\n"[..],
            &["content-length: 0", "x-end: 2"][..],
        ),
        (
            b"HTTP/1.1 200 OK\r\nConnection: close, set-cookie, content-length\r\nSet-Cookie: a\r\nProxy-Authenticate: x\r\nUpgrade: x\r\nContent-Length: 0\r\n\r\n",
            &["content-length: 0", "set-cookie: a"],
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-t\r\nConnection: x-t\r\n\r\n2\r\nhi\r\n0\r\nX-T: 1\r\n\r\n",
            &["trailer: x-t", "transfer-encoding: chunked"],
        ),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
            &["content-length: 44"],
        ),
    ] {
        let gateway = Site::before(raw::upstream(answer).await.0).await;
        let told = gateway.get(b"TE: trailers\r\n").await;
        let mut fields = fields(&told);
        // Fields that the gate and the server write themselves.
        fields.retain(|line| {
            !["date:", "via: 1.1 gateway", "cache-control: ", "content-type: text/plain", "vary: x-api-key"]
                .iter()
                .any(|own| line.starts_with(own))
        });
        assert_eq!(fields, expected, "{told}");
        assert!(!told.contains("x-t: 1"), "{told}");
    }
}

/// What the gateway writes into each request.
const WRITTEN: [&str; 9] = [
    "forwarded: for=192.0.2.1;host=\"named.example\";proto=https",
    "host: named.example",
    "via: 1.1 gateway",
    "x-account-id: account_1",
    "x-forwarded-for: 192.0.2.1",
    "x-forwarded-host: named.example",
    "x-forwarded-proto: https",
    "x-key-id: key_1",
    "x-team: caf%c3%a9",
];

struct Wsgi(Child);

impl Drop for Wsgi {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A WSGI program reads a field and its spelling with underscores as one variable.
#[tokio::test]
async fn a_wsgi_backend_reads_no_identity_but_the_gateways() {
    let mut python = Command::new("python3");
    python.args(["-c", WSGI]).stdin(Stdio::null()).stdout(Stdio::piped());
    let Ok(mut child) = python.spawn().map(Wsgi) else {
        assert!(env::var_os("REQUIRE_INTERPRETERS").is_none(), "there is no python3");
        println!("SKIPPED: there is no python3");
        return;
    };
    let mut port = String::new();
    BufReader::new(child.0.stdout.take().unwrap()).read_line(&mut port).unwrap();
    let backend = SocketAddr::from(([127, 0, 0, 1], port.trim().parse().unwrap()));
    let gateway = Site::before(backend).await;
    let answer = gateway
        .get(
            b"X_Account_Id: victim\r\nX_Key_Id: v\r\nx-account_id: victim\r\nX.Account-Id: victim\r\nX-Account-Id: victim\r\nX_Forwarded_Proto: http\r\nX_Forwarded_For: 6.6.6.6\r\nProxy: http://evil\r\nConnection: close, x-end\r\nX-Forwarded-For: 192.0.2.1\r\n",
        )
        .await;
    let mut told: Vec<_> = answer.lines().filter(|line| line.starts_with("http_")).collect();
    told.sort_unstable();
    let written = WRITTEN.iter().map(|line| {
        let (name, value) = line.split_once(": ").unwrap();
        format!("http_{}={value}", name.replace('-', "_"))
    });
    let mut written: Vec<String> = written.collect();
    written.sort_unstable();
    assert_eq!(told, written);
}
