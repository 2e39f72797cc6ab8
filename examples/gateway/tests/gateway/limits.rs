//! What a client may take: time for a head, content, and connections.

use std::time::{Duration, Instant};

use http::Response;
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::raw;
use crate::site::{Site, one};
use crate::upstream::{serve, text};

async fn site(listener: &str, route: &str) -> Site {
    let (upstream, _) = serve(|request| async move {
        match request.into_body().collect().await {
            Ok(content) => Response::new(text(content.to_bytes().len().to_string())),
            Err(_) => Response::new(text("broken")),
        }
    })
    .await;
    let file = one(upstream, "").replace("path = '/'", &format!("path = '/'\n{route}"));
    let file = file.replace(
        "address = '127.0.0.1:0'\n[gateway.admin]",
        &format!("address = '127.0.0.1:0'\n{listener}\n[gateway.admin]"),
    );
    Site::start(&file).await
}

/// Neither silence nor a slow head holds a connection, in whatever version it may want to be.
#[tokio::test]
async fn a_silent_client_is_hung_up() {
    let site = site("header_timeout = '300ms'", "").await;
    for bytes in [
        &b""[..],
        b"GET /a HTTP/1.1\r\nHost:",
        b"PRI * HTTP/2.0\r\n\r\nSM",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(site.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let begin = Instant::now();
        let mut read = Vec::new();
        let end = timeout(Duration::from_secs(5), stream.read_to_end(&mut read)).await;
        assert!(end.is_ok(), "{}", bytes.escape_ascii());
        assert!(begin.elapsed() >= Duration::from_millis(200), "{:?}", begin.elapsed());
    }
    // Nor does a client that has had an answer.
    let mut stream = TcpStream::connect(site.address).await.unwrap();
    stream.write_all(&site.message("GET /a HTTP/1.1", b"Host: a\r\n", "")).await.unwrap();
    assert_eq!(raw::status(&raw::read_message(&mut stream).await), 200);
    let end = timeout(Duration::from_secs(5), stream.read_to_end(&mut Vec::new())).await;
    assert!(end.is_ok(), "an idle connection stays");
    // A request that takes longer than a head may is served.
    let mut stream = TcpStream::connect(site.address).await.unwrap();
    let lines = b"Host: a\r\nContent-Length: 2\r\n";
    stream.write_all(&site.message("POST /a HTTP/1.1", lines, "a")).await.unwrap();
    tokio::time::sleep(Duration::from_millis(700)).await;
    stream.write_all(b"b").await.unwrap();
    assert_eq!(raw::status(&raw::read_message(&mut stream).await), 200);
}

#[tokio::test]
async fn content_has_a_limit() {
    let site = site("", "max_content_bytes = 8").await;
    for (lines, body, expected) in [
        ("Content-Length: 8\r\n", "12345678", 200),
        ("Content-Length: 9\r\n", "123456789", 413),
        ("Content-Length: 99999999999\r\n", "", 413),
        ("Transfer-Encoding: chunked\r\n", "8\r\n12345678\r\n0\r\n\r\n", 200),
        ("Transfer-Encoding: chunked\r\n", "8\r\n12345678\r\n1\r\n9\r\n0\r\n\r\n", 413),
    ] {
        let lines = format!("Host: a\r\n{lines}");
        let answer = site.send("POST /a HTTP/1.1", lines.as_bytes(), body).await;
        assert_eq!(raw::status(&answer), expected, "{lines} {body}: {answer}");
    }
}

/// Further connections wait, and are served when there is room.
#[tokio::test]
async fn connections_have_a_limit() {
    let site = site("max_connections = 1", "").await;
    let first = TcpStream::connect(site.address).await.unwrap();
    let waits = site.get(b"");
    tokio::pin!(waits);
    assert!(timeout(Duration::from_millis(300), &mut waits).await.is_err());
    drop(first);
    assert_eq!(raw::status(&timeout(Duration::from_secs(5), waits).await.unwrap()), 200);
}
