//! Requests whose shape two servers can read differently, as raw bytes.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::raw;
use crate::site::Site;

const HOST: &str = "Host: a.example\r\n";

/// No upstream sees any of these.
#[tokio::test]
async fn ambiguous_messages_are_refused() {
    let (upstream, mut received) = raw::upstream(raw::OK).await;
    let site = Site::before(upstream).await;
    for (start, lines, body, expected) in [
        // Two lengths.
        ("POST /a HTTP/1.1", "Content-Length: 5\r\nContent-Length: 6\r\n", "hello", 400),
        ("POST /a HTTP/1.1", "Content-Length: 5, 6\r\n", "hello", 400),
        ("POST /a HTTP/1.1", "Content-Length: 5, 5\r\n", "hello", 400),
        // Lengths that some servers read as numbers.
        ("POST /a HTTP/1.1", "Content-Length: +5\r\n", "hello", 400),
        ("POST /a HTTP/1.1", "Content-Length: 0x5\r\n", "hello", 400),
        ("POST /a HTTP/1.1", "Content-Length: -5\r\n", "hello", 400),
        ("POST /a HTTP/1.1", "Content-Length: 5 5\r\n", "hello", 400),
        ("POST /a HTTP/1.1", "Content-Length: 99999999999999999999\r\n", "hello", 400),
        ("POST /a HTTP/1.1", "Content-Length : 5\r\n", "hello", 400),
        // Codings that some servers take for `chunked`.
        ("POST /a HTTP/1.1", "Transfer-Encoding: xchunked\r\n", "0\r\n\r\n", 400),
        ("POST /a HTTP/1.1", "Transfer-Encoding: identity\r\n", "0\r\n\r\n", 400),
        ("POST /a HTTP/1.1", "Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n", 400),
        ("POST /a HTTP/1.1", "Transfer-Encoding: \x0bchunked\r\n", "0\r\n\r\n", 400),
        ("POST /a HTTP/1.1", "Transfer-Encoding : chunked\r\n", "0\r\n\r\n", 400),
        ("POST /a HTTP/1.1", "Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n", 400),
        ("POST /a HTTP/1.1", "Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n", 501),
        ("POST /a HTTP/1.1", "Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n", 501),
        (
            "POST /a HTTP/1.1",
            "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
            "0\r\n\r\n",
            501,
        ),
        ("POST /a HTTP/1.1", "Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n", 400),
        ("POST /a HTTP/1.0", "Transfer-Encoding: chunked\r\n", "0\r\n\r\n", 400),
        // Lines that some servers continue or cut.
        ("GET /a HTTP/1.1", "X-A: 1\r\n X-B: 2\r\n", "", 400),
        ("GET /a HTTP/1.1", "X-A: 1\rX-B: 2\r\n", "", 400),
        ("GET /a HTTP/1.1", "X-A: 1\x002\r\n", "", 400),
        ("GET /a HTTP/1.1", "X A: 1\r\n", "", 400),
        ("GET /a HTTP/1.1", ": 1\r\n", "", 400),
        ("GET /a HTTP/1.1 HTTP/1.1", "", "", 400),
        ("GET /a HTTP/2.0", "", "", 400),
        ("GET  /a HTTP/1.1", "", "", 400),
        ("GET a HTTP/1.1", "", "", 403),
        // Targets, which this gate refuses as the gateway would.
        ("CONNECT a.example:80 HTTP/1.1", "", "", 403),
        ("TRACE /a HTTP/1.1", "", "", 405),
        ("GET /a/../b HTTP/1.1", "", "", 403),
        ("GET /a/%2e%2e/b HTTP/1.1", "", "", 403),
        ("GET /a%2f..%2fb HTTP/1.1", "", "", 403),
        ("GET /a\\b HTTP/1.1", "", "", 403),
        // Expectations.
        ("POST /a HTTP/1.1", "Expect: 200-ok\r\nContent-Length: 0\r\n", "", 417),
        // A switch with content: the server would read it as the other protocol.
        (
            "GET /a HTTP/1.1",
            "Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n",
            "hello",
            400,
        ),
    ] {
        let answer = site.send(start, format!("{HOST}{lines}").as_bytes(), body).await;
        assert_eq!(raw::status(&answer), expected, "{start} {lines:?}: {answer}");
    }
    assert!(received.try_recv().is_err(), "no upstream was asked");
}

/// What follows a message with two framings is not a request: the connection ends.
#[tokio::test]
async fn two_framings_end_the_connection() {
    let (upstream, mut received) = raw::upstream(raw::OK).await;
    let site = Site::before(upstream).await;
    for lines in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
    ] {
        let body = "0\r\n\r\n";
        let mut bytes = site.message("POST /a HTTP/1.1", format!("{HOST}{lines}").as_bytes(), body);
        bytes.extend(site.message("GET /smuggled HTTP/1.1", HOST.as_bytes(), ""));
        let mut stream = TcpStream::connect(site.address).await.unwrap();
        stream.write_all(&bytes).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer).to_ascii_lowercase();
        assert_eq!(answer.matches("http/1.1 ").count(), 1, "{answer}");
        assert!(answer.contains("connection: close"), "{answer}");
        let message = received.recv().await.unwrap();
        assert!(!message.contains("content-length"), "{message}");
        assert!(received.try_recv().is_err(), "{lines}");
    }
}

/// Chunks that another server could read differently end the connection, and the upstream gets no whole message.
#[tokio::test]
async fn broken_chunks_reach_no_upstream_as_a_whole_message() {
    let (upstream, mut received) = raw::upstream(raw::OK).await;
    let site = Site::before(upstream).await;
    for body in [
        "5;\nhello\r\n0\r\n\r\n",
        "+5\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "5\r\nhelloX\r\n0\r\n\r\n",
        "FFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n",
    ] {
        let lines = format!("{HOST}Transfer-Encoding: chunked\r\n");
        let answer = site.send("POST /a HTTP/1.1", lines.as_bytes(), body).await;
        assert_ne!(raw::status(&answer), 200, "{body:?}: {answer}");
        if let Ok(message) = received.try_recv() {
            assert!(!message.ends_with("0\r\n\r\n"), "{body:?}: {message}");
        }
    }
}

/// HTTP/2 in clear text inside of a connection would pass no gate.
#[tokio::test]
async fn only_named_protocols_are_switched_to() {
    let (upstream, mut received) = raw::upstream(raw::OK).await;
    let site = Site::before(upstream).await;
    for (lines, expected) in [
        (
            "Connection: upgrade, http2-settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
            None,
        ),
        ("Connection: upgrade\r\nUpgrade: TLS/1.2\r\n", None),
        ("Connection: upgrade\r\nUpgrade: h2c, websocket\r\n", Some("websocket")),
        ("Connection: Upgrade\r\nUpgrade: WebSocket\r\n", Some("websocket")),
        ("Connection: upgrade\r\nUpgrade: chat\r\n", Some("chat")),
        ("Upgrade: websocket\r\n", None),
    ] {
        let answer = site.get(lines.as_bytes()).await;
        assert_eq!(raw::status(&answer), 200, "{lines}: {answer}");
        let message = received.recv().await.unwrap();
        let asked = message.lines().find_map(|line| line.strip_prefix("upgrade: "));
        assert_eq!(asked, expected, "{lines}: {message}");
        assert!(!message.contains("http2-settings"), "{message}");
    }
}

/// Over HTTP/2 a request names its host once (RFC 9113 §8.3.1), and no field of a connection (§8.2.2).
#[tokio::test]
async fn requests_of_http_2_are_for_one_host() {
    let (upstream, mut received) = raw::upstream(raw::OK).await;
    let site = Site::before(upstream).await;
    for (name, value, expected) in [
        ("host", "a.example", 200),
        ("host", "b.example", 400),
        ("host", "a.example:80", 400),
        ("x-plain", "1", 200),
    ] {
        let stream = TcpStream::connect(site.address).await.unwrap();
        let executor = hyper_util::rt::TokioExecutor::new();
        let io = hyper_util::rt::TokioIo::new(stream);
        let (mut client, connection) =
            hyper::client::conn::http2::handshake(executor, io).await.unwrap();
        tokio::spawn(connection);
        let request = http::Request::get("http://a.example/x")
            .header("x-api-key", &site.key)
            .header("x-forwarded-proto", "https")
            .header("x-forwarded-for", "192.0.2.1")
            .header(name, value)
            .body(crate::upstream::text(""))
            .unwrap();
        let answer = client.send_request(request).await.unwrap();
        assert_eq!(answer.status(), expected, "{name}: {value}");
        if expected == 200 {
            let message = received.recv().await.unwrap();
            assert!(message.contains("\r\nhost: a.example\r\n"), "{message}");
            assert!(message.contains("via: 2.0 gateway"), "{message}");
        }
    }
    assert!(received.try_recv().is_err());
}
