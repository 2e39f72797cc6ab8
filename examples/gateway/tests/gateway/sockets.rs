//! WebSockets and other switches of protocols through the gateway.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http_body_util::Empty;
use hyper::client::conn::http2::handshake;
use hyper::ext::Protocol;
use hyper::upgrade::Upgraded;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_async, client_async};

use crate::raw;
use crate::site::{Site, one};

/// An upstream that sends each message back.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let Ok(mut socket) = accept_async(stream).await else { return };
                while let Some(Ok(message)) = socket.next().await {
                    // The library answers a Close frame by itself.
                    if !message.is_close() && socket.send(message).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

async fn connect(site: &Site, path: &str) -> Result<WebSocketStream<TcpStream>, u16> {
    let mut request = format!("ws://a.example{path}").into_client_request().unwrap();
    let headers = request.headers_mut();
    headers.insert("x-api-key", site.key.parse().unwrap());
    headers.insert("x-forwarded-proto", "https".parse().unwrap());
    headers.insert("x-forwarded-for", "192.0.2.1".parse().unwrap());
    let stream = TcpStream::connect(site.address).await.unwrap();
    match client_async(request, stream).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(answer)) => Err(answer.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn messages_go_both_ways() {
    let site = Site::before(echo().await).await;
    let mut socket = connect(&site, "/chat").await.unwrap();
    for message in ["first".to_owned(), "x".repeat(200_000)] {
        socket.send(Message::text(message.clone())).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), Message::text(message));
    }
    socket.close(None).await.unwrap();
    let end = socket.next().await;
    assert!(matches!(end, Some(Ok(Message::Close(_))) | None), "{end:?}");
}

/// Opens a socket over HTTP/2 (RFC 8441). Returns the status if the gateway refuses it.
async fn connect_over_2(
    site: &Site,
    path: &str,
) -> Result<WebSocketStream<TokioIo<Upgraded>>, u16> {
    let stream = TokioIo::new(TcpStream::connect(site.address).await.unwrap());
    let (mut client, connection) = handshake(TokioExecutor::new(), stream).await.unwrap();
    while !connection.is_extended_connect_protocol_enabled() {
        tokio::task::yield_now().await;
    }
    tokio::spawn(connection);
    let mut request = http::Request::connect(format!("http://a.example{path}"))
        .version(http::Version::HTTP_2)
        .header("x-api-key", &site.key)
        .header("x-forwarded-proto", "https")
        .header("x-forwarded-for", "192.0.2.1")
        .header("sec-websocket-version", "13")
        .body(Empty::<Bytes>::new())
        .unwrap();
    request.extensions_mut().insert(Protocol::from_static("websocket"));
    let answer = client.send_request(request).await.unwrap();
    if !answer.status().is_success() {
        return Err(answer.status().as_u16());
    }
    assert!(!answer.headers().contains_key("sec-websocket-accept"), "{:?}", answer.headers());
    let upgraded = TokioIo::new(hyper::upgrade::on(answer).await.unwrap());
    Ok(WebSocketStream::from_raw_socket(upgraded, Role::Client, None).await)
}

#[tokio::test]
async fn a_socket_over_http_2_reaches_an_upstream_over_http_1() {
    let site = Site::before(echo().await).await;
    let mut socket = connect_over_2(&site, "/socket").await.unwrap();
    for message in ["first".to_owned(), "x".repeat(200_000)] {
        socket.send(Message::text(message.clone())).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), Message::text(message));
    }
    assert_eq!(connect_over_2(&site, "/socket").await.err(), Some(429), "it holds its permit");
    let ended = tokio::spawn(site.gateway.end());
    let Some(Ok(Message::Close(Some(close)))) = socket.next().await else { panic!("no goodbye") };
    assert_eq!(close.code, CloseCode::Away);
    let _ = timeout(Duration::from_secs(5), socket.next()).await;
    drop(socket);
    assert!(timeout(Duration::from_secs(15), ended).await.unwrap().unwrap());
}

/// An answer that is no handshake must not open a tunnel: over HTTP/2 any 2xx would.
#[tokio::test]
async fn a_socket_over_http_2_needs_a_true_handshake() {
    for (answer, expected) in [
        (&b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"[..], 502),
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", 403),
        (b"HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", 502),
        (
            b"HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n",
            502,
        ),
    ] {
        let (upstream, mut received) = raw::upstream(answer).await;
        let site = Site::before(upstream).await;
        assert_eq!(connect_over_2(&site, "/chat").await.err(), Some(expected));
        let message = received.recv().await.unwrap();
        assert!(message.starts_with("get /chat http/1.1\r\n"), "{message}");
        assert!(message.contains("upgrade: websocket\r\n"), "{message}");
        let site = Site::start(&one(upstream, "").replace("'websocket', ", "")).await;
        assert_eq!(connect_over_2(&site, "/chat").await.err(), Some(501));
    }
}

/// The account's permit is held as long as the socket is open, however it ends.
#[tokio::test]
async fn an_open_socket_holds_its_permit() {
    let site = Site::before(echo().await).await;
    for closes in [true, false] {
        let mut socket = connect(&site, "/socket").await.unwrap();
        for _ in 0..2 {
            sleep(Duration::from_millis(50)).await;
            assert_eq!(connect(&site, "/socket").await.err(), Some(429));
        }
        if closes {
            socket.close(None).await.unwrap();
            while socket.next().await.is_some() {}
        }
        drop(socket);
        let again = async {
            while connect(&site, "/socket").await.is_err() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(Duration::from_secs(10), again).await.expect("the permit was not given back");
        // The socket that `again` opened is gone, too.
        sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn an_upstream_that_refuses_answers_as_ever() {
    let (upstream, _received) =
        raw::upstream(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno").await;
    let site = Site::before(upstream).await;
    assert_eq!(connect(&site, "/chat").await.err(), Some(403));
    let site = Site::start(&one(upstream, "protocol = 'http2'")).await;
    assert_eq!(connect(&site, "/chat").await.err(), Some(501));
}

/// The upstream must not choose a protocol that the client has not asked for.
#[tokio::test]
async fn an_unasked_switch_is_refused() {
    const SWITCH: &[u8] =
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n";
    let (upstream, _received) = raw::upstream(SWITCH).await;
    let site = Site::before(upstream).await;
    assert_eq!(connect(&site, "/chat").await.err(), Some(502));
}

#[tokio::test]
async fn another_protocol_is_tunnelled_as_bytes() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let site = Site::before(listener.local_addr().unwrap()).await;
    let mut client = TcpStream::connect(site.address).await.unwrap();
    let lines = b"Host: a\r\nConnection: upgrade\r\nUpgrade: chat\r\n";
    client.write_all(&site.message("GET /a HTTP/1.1", lines, "")).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    assert!(raw::read_message(&mut server).await.contains("upgrade: chat"));
    let answer =
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\nearly ";
    server.write_all(answer).await.unwrap();
    client.write_all(b"from the client").await.unwrap();
    client.shutdown().await.unwrap();
    let mut read = String::new();
    server.read_to_string(&mut read).await.unwrap();
    assert_eq!(read, "from the client");
    server.write_all(b"from the server").await.unwrap();
    drop(server);
    let mut read = String::new();
    client.read_to_string(&mut read).await.unwrap();
    assert!(
        read.starts_with("HTTP/1.1 101 ") && read.ends_with("\r\n\r\nearly from the server"),
        "{read}"
    );
}

/// At the end each client of a WebSocket gets a Close frame with 1001, also while messages fly.
#[tokio::test]
async fn sockets_are_told_of_the_end() {
    let site = Site::before(echo().await).await;
    let mut quiet = connect(&site, "/chat").await.unwrap();
    let busy = connect(&site, "/chat").await.unwrap();
    let (mut sender, mut receiver) = busy.split();
    tokio::spawn(
        async move { while sender.send(Message::text("x".repeat(50_000))).await.is_ok() {} },
    );
    receiver.next().await.unwrap().unwrap();
    let ended = tokio::spawn(site.gateway.end());
    let last = async {
        loop {
            match receiver.next().await {
                Some(Ok(Message::Text(text))) => assert_eq!(text.len(), 50_000),
                Some(Ok(Message::Close(Some(close)))) => return close.code,
                other => panic!("{other:?}"),
            }
        }
    };
    assert_eq!(timeout(Duration::from_secs(10), last).await.unwrap(), CloseCode::Away);
    let Some(Ok(Message::Close(Some(close)))) = quiet.next().await else { panic!("no goodbye") };
    assert_eq!(close.code, CloseCode::Away);
    // The library answers the Close frame when it is polled again. Then the server closes.
    assert!(timeout(Duration::from_secs(5), quiet.next()).await.unwrap().is_none());
    assert!(timeout(Duration::from_secs(5), receiver.next()).await.unwrap().is_none());
    assert!(timeout(Duration::from_secs(15), ended).await.unwrap().unwrap(), "nothing was cut off");
}
