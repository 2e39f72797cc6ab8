//! Tests the bytes that a backend and a client receive, over real sockets.

use std::env;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::*;

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

/// A gateway and a key that it admits.
struct Gateway {
    address: SocketAddr,
    key: String,
}

impl Gateway {
    async fn before(backend: Authority) -> Self {
        let (gate, issued) = gate().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve_gateway(listener, gate, backend));
        Self { address, key: issued.expose().to_owned() }
    }

    /// Sends a request line, the fields that the gate requires, these lines and a body. Returns the answer.
    async fn send(&self, start: &str, lines: &[u8], body: &str) -> String {
        let asked = format!("X-Api-Key: {}\r\nX-Forwarded-Proto: https\r\n", self.key);
        let head = [start.as_bytes(), b"\r\n", asked.as_bytes(), lines].concat();
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(&[&head[..], b"\r\n", body.as_bytes()].concat()).await.unwrap();
        read_message(&mut stream).await
    }

    async fn get(&self, lines: &[u8]) -> String {
        self.send("GET /a HTTP/1.1", &[b"Host: named.example\r\n", lines].concat(), "").await
    }
}

/// Reads a message up to the end that its fields state, in lower case.
async fn read_message(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let whole = match length {
                Some(length) => body.len() >= length.parse().unwrap(),
                None if head.contains("chunked") => body.ends_with("0\r\n\r\n"),
                None => true,
            };
            if whole {
                return text;
            }
        }
        if stream.read_buf(&mut bytes).await.unwrap() == 0 {
            return text;
        }
    }
}

/// A backend that records the bytes it reads and answers with these bytes.
async fn raw_backend(answer: &'static [u8]) -> (Authority, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string().parse().unwrap();
    let (sender, received) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = sender.send(read_message(&mut stream).await);
            stream.write_all(answer).await.unwrap();
        }
    });
    (address, received)
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

fn fields(message: &str) -> Vec<&str> {
    let mut fields: Vec<_> = message.split("\r\n\r\n").next().unwrap().lines().skip(1).collect();
    fields.sort_unstable();
    fields
}

#[tokio::test]
async fn what_a_client_lists_stays_on_its_connection_and_nothing_else() {
    let (backend, mut received) = raw_backend(OK).await;
    let gateway = Gateway::before(backend).await;
    for (lines, expected) in [
        (&b""[..], &[][..]),
        (b"Connection: x-hop\r\nX-Hop: 1\r\nX-End: 2\r\n", &["x-end: 2"]),
        (b"Connection: close, X-HOP ,,\tx-other\r\nX-Hop: 1\r\nX-Other: 2\r\n", &[]),
        (b"Connection: a\r\nConnection: b\r\nA: 1\r\nB: 2\r\nC: 3\r\n", &["c: 3"]),
        // An option that is not a token does not affect the others.
        (b"Connection: x-evil, \xff\r\nX-Evil: 1\r\n", &[]),
        (b"Connection: \xe2\x82\xac,x-evil,a b,\"x\"\r\nX-Evil: 1\r\nX-End: 2\r\n", &["x-end: 2"]),
        (b"Connection: x-evil\xff\r\nX-Evil: 1\r\n", &["x-evil: 1"]),
        // Fields for every recipient are not connection options.
        (b"Connection: host, Host\r\n", &[]),
        (
            b"Connection: x-forwarded-for, X-Forwarded-Proto, forwarded, via\r\nVia: 1.1 p\r\nX-Forwarded-For: 192.0.2.1\r\n",
            &["via: 1.1 p", "x-forwarded-for: 192.0.2.1"],
        ),
        (
            b"Connection: content-type, cache-control, authorization, cookie\r\nContent-Type: a/b\r\nCache-Control: no-store\r\nAuthorization: x\r\nCookie: a=b\r\n",
            &["authorization: x", "cache-control: no-store", "content-type: a/b", "cookie: a=b"],
        ),
        (b"Connection: true-client-ip\r\nTrue-Client-IP: 192.0.2.1\r\n", &["true-client-ip: 192.0.2.1"]),
        (
            b"Connection: x-cluster-client-ip, CDN-Loop, fastly-client-ip\r\nX-Cluster-Client-IP: 192.0.2.1\r\nCDN-Loop: a\r\nFastly-Client-IP: 192.0.2.1\r\n",
            &["cdn-loop: a", "fastly-client-ip: 192.0.2.1", "x-cluster-client-ip: 192.0.2.1"],
        ),
        // Known fields are removed, whether or not `Connection` names them.
        (
            b"Keep-Alive: timeout=5\r\nTE: trailers\r\nUpgrade: websocket\r\nProxy-Connection: x\r\nProxy-Authorization: x\r\nProxy-Authenticate: x\r\nTrailer: x\r\nHTTP2-Settings: x\r\nProxy: http://evil\r\n",
            &[],
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
        expected.extend([
            "host: named.example",
            "x-account-id: account_1",
            "x-forwarded-proto: https",
            "x-key-id: key_1",
        ]);
        expected.sort_unstable();
        let message = received.recv().await.unwrap();
        assert_eq!(fields(&message), expected, "{shown}");
    }
}

#[tokio::test]
async fn a_request_is_for_one_host() {
    let (backend, mut received) = raw_backend(OK).await;
    let gateway = Gateway::before(backend).await;
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
    let (backend, mut received) = raw_backend(OK).await;
    let gateway = Gateway::before(backend).await;
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
    let with_length = b"Host: a.example\r\nContent-Length: 5\r\nConnection: content-length\r\n";
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
            &["transfer-encoding: chunked"],
        ),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
            &["content-length: 46"],
        ),
    ] {
        let gateway = Gateway::before(raw_backend(answer).await.0).await;
        let told = gateway.get(b"TE: trailers\r\n").await;
        let mut fields = fields(&told);
        // Fields that the gate and the server write themselves.
        fields.retain(|line| {
            !["date:", "cache-control: private", "vary: x-api-key"]
                .iter()
                .any(|own| line.starts_with(own))
        });
        assert_eq!(fields, expected, "{told}");
        assert!(!told.contains("x-t: 1"), "{told}");
    }
}

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
    let backend = format!("127.0.0.1:{}", port.trim()).parse().unwrap();
    let gateway = Gateway::before(backend).await;
    let answer = gateway
        .get(
            b"X_Account_Id: victim\r\nX_Key_Id: v\r\nx-account_id: victim\r\nX.Account-Id: victim\r\nX-Account-Id: victim\r\nX_Forwarded_Proto: http\r\nX_Forwarded_For: 6.6.6.6\r\nProxy: http://evil\r\nConnection: close, x-account-id\r\nX-Forwarded-For: 192.0.2.1\r\n",
        )
        .await;
    let mut told: Vec<_> = answer.lines().filter(|line| line.starts_with("http_")).collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [
            "http_host=named.example",
            "http_x_account_id=account_1",
            "http_x_forwarded_for=192.0.2.1",
            "http_x_forwarded_proto=https",
            "http_x_key_id=key_1",
        ]
    );
}

#[tokio::test]
async fn every_version_of_http_is_passed_on_as_1_1() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let backend: Authority = listener.local_addr().unwrap().to_string().parse().unwrap();
    tokio::spawn(serve_backend(listener));
    let own = backend.as_str();
    for (version, method, uri, status, told) in [
        (Version::HTTP_11, "GET", "/a", 200, "named.example"),
        (Version::HTTP_10, "GET", "/a", 200, "named.example"),
        (Version::HTTP_2, "POST", "https://api.example/a", 200, "api.example"),
        (Version::HTTP_11, "GET", "http://me@api.example/a", 200, "api.example"),
        // It must not become an open relay.
        (Version::HTTP_11, "CONNECT", own, 400, ""),
    ] {
        let request = Request::builder().version(version).method(method).uri(uri);
        let request = request
            .header("host", "named.example")
            .header("connection", "keep-alive, x-hop")
            .header("connection", "X-Account-Id")
            .header("keep-alive", "timeout=5")
            .header("te", "trailers")
            .header("upgrade", "websocket")
            .header("x-hop", "1")
            .header("x-account-id", "forged")
            .header("x-end", "to end");
        let request = request.body(Full::new(Bytes::from("content"))).unwrap();
        let client = Client::builder(TokioExecutor::new()).build_http();
        let answer = forward(client, backend.clone(), request).await.unwrap();
        assert_eq!(answer.status(), status, "{version:?} {uri}");
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let body = String::from_utf8(body.to_vec()).unwrap();
        if status == 200 {
            let mut names: Vec<&str> = body.split('"').skip(1).step_by(4).collect();
            names.sort_unstable();
            assert_eq!(names, ["content-length", "host", "x-end"], "{version:?} {body}");
            assert!(body.contains(&format!("\"{told}\"")), "{version:?} {body}");
        }
    }
}
