//! Connections on which nothing happens: of clients, of tunnels and of upstreams.

use std::time::{Duration, Instant};

use http::Response;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2::handshake;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use crate::raw;
use crate::site::{Site, one};
use crate::upstream::{serve, text};

const SOON: Duration = Duration::from_secs(10);

fn with_listener(file: &str, lines: &str) -> String {
    let address = "address = '127.0.0.1:0'\n[gateway.admin]";
    let (before, after) = file.split_once(address).unwrap();
    format!("{before}address = '127.0.0.1:0'\n{lines}\n[gateway.admin]{after}")
}

/// A tunnel is a connection, though it is no longer one of HTTP.
#[tokio::test]
async fn a_tunnel_counts_as_a_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let file = one(listener.local_addr().unwrap(), "");
    let site = Site::start(&with_listener(&file, "max_connections = 1")).await;
    let mut client = TcpStream::connect(site.address).await.unwrap();
    let lines = b"Host: a\r\nConnection: upgrade\r\nUpgrade: chat\r\n";
    client.write_all(&site.message("GET /a HTTP/1.1", lines, "")).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    raw::read_message(&mut server).await;
    let answer =
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\n";
    server.write_all(answer).await.unwrap();
    assert_eq!(raw::status(&raw::read_message(&mut client).await), 101);
    // The gateway itself answers this one.
    let waits = site.send("TRACE /a HTTP/1.1", b"Host: a\r\n", "");
    tokio::pin!(waits);
    assert!(timeout(Duration::from_millis(500), &mut waits).await.is_err(), "there is no place");
    drop((client, server));
    let answer = timeout(SOON, waits).await.unwrap();
    assert_eq!(raw::status(&answer), 405, "{answer}");
}

/// A request that takes longer is served. A connection without one is told to end.
#[tokio::test]
async fn a_silent_connection_of_http_2_ends() {
    let (upstream, _) = serve(|_| async {
        sleep(Duration::from_millis(900)).await;
        Response::new(text("late"))
    })
    .await;
    let site = Site::start(&with_listener(&one(upstream, ""), "header_timeout = '300ms'")).await;
    let stream = TokioIo::new(TcpStream::connect(site.address).await.unwrap());
    let (mut client, connection) = handshake(TokioExecutor::new(), stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = http::Request::get("http://a.example/x")
        .header("x-api-key", &site.key)
        .header("x-forwarded-proto", "https")
        .header("x-forwarded-for", "192.0.2.1");
    let answer = client.send_request(request.body(Empty::<bytes::Bytes>::new()).unwrap());
    let answer = answer.await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "late");
    let begin = Instant::now();
    timeout(SOON, connection).await.expect("it stays open").unwrap().unwrap();
    assert!(begin.elapsed() > Duration::from_millis(200), "{:?}", begin.elapsed());
}

/// An upstream that does not read holds no upload for ever.
#[tokio::test]
async fn an_upstream_that_does_not_read_is_given_up() {
    for protocol in ["http1", "http2"] {
        // The queue of the system accepts the connection. Nobody reads.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let lines =
            format!("protocol = '{protocol}'\nidle_timeout = '300ms'\nconnect_timeout = '500ms'");
        let site = Site::start(&one(listener.local_addr().unwrap(), &lines)).await;
        let (mut read, mut write) = TcpStream::connect(site.address).await.unwrap().into_split();
        let lines = b"Host: a\r\nContent-Length: 67108864\r\n";
        let head = site.message("POST /a HTTP/1.1", lines, "");
        tokio::spawn(async move {
            write.write_all(&head).await.unwrap();
            let part = vec![b'x'; 1 << 16];
            while write.write_all(&part).await.is_ok() {}
        });
        let mut bytes = [0; 12];
        timeout(SOON, read.read_exact(&mut bytes)).await.expect("it holds").unwrap();
        // The pings of HTTP/2 may notice first.
        let expected = if protocol == "http1" { &["504"][..] } else { &["502", "504"] };
        let status = String::from_utf8_lossy(&bytes[9..]).into_owned();
        assert!(expected.contains(&&*status), "{protocol}: {status}");
    }
}
