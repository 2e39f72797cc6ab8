//! Sockets over HTTP/2, opened by an extended `CONNECT` (RFC 8441).

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Method, Request, Response, Version};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper::ext::Protocol;
use hyper::upgrade::Upgraded;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;
use tower_api_key::rules::{Otherwise, Route, Routes};

use super::client::{Refused, Socket};
use super::server::start;
use super::upgrade::builder;
use crate::support::KEY;

const OFFER: &str = "sec-websocket-protocol";

pub(super) struct Client(SendRequest<Empty<Bytes>>);

impl Client {
    pub(super) async fn connect(server: SocketAddr) -> Self {
        let stream = TokioIo::new(TcpStream::connect(server).await.unwrap());
        let (sender, connection) = handshake(TokioExecutor::new(), stream).await.unwrap();
        // The server's settings allow the method (RFC 8441 §3).
        while !connection.is_extended_connect_protocol_enabled() {
            tokio::task::yield_now().await;
        }
        tokio::spawn(connection);
        Self(sender)
    }

    /// Opens a socket.
    pub(super) async fn open(
        &mut self,
        path: &str,
        offer: &str,
    ) -> Result<Socket<TokioIo<Upgraded>>, Refused> {
        let answer = self.send(connect(Some("websocket"), path, offer)).await;
        if !answer.status().is_success() {
            let status = answer.status().as_u16();
            let body = answer.into_body().collect().await.unwrap().to_bytes();
            return Err(Refused::Status(status, String::from_utf8(body.to_vec()).unwrap()));
        }
        let (head, body) = answer.into_parts();
        let upgraded = hyper::upgrade::on(Response::from_parts(head.clone(), body)).await.unwrap();
        let stream = TokioIo::new(upgraded);
        let stream = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
        Ok(Socket { answer: Response::from_parts(head, ()), stream })
    }

    async fn send(&mut self, request: Request<Empty<Bytes>>) -> Response<hyper::body::Incoming> {
        self.0.send_request(request).await.unwrap()
    }
}

fn connect(protocol: Option<&'static str>, path: &str, offer: &str) -> Request<Empty<Bytes>> {
    let mut request = Request::new(Empty::new());
    *request.method_mut() = Method::CONNECT;
    *request.version_mut() = Version::HTTP_2;
    *request.uri_mut() = match protocol {
        Some(_) => format!("https://localhost{path}").parse().unwrap(),
        // A plain `CONNECT` has an authority only (RFC 9113 §8.5).
        None => "localhost:443".parse().unwrap(),
    };
    if let Some(protocol) = protocol {
        request.extensions_mut().insert(Protocol::from_static(protocol));
    }
    request.headers_mut().insert("sec-websocket-version", "13".parse().unwrap());
    request.headers_mut().insert(OFFER, offer.parse().unwrap());
    request
}

#[tokio::test]
async fn a_socket_has_the_route_of_get() {
    let server = start(&builder().build().unwrap()).await;
    let mut client = Client::connect(server).await;
    let offer = format!("chat.v1, api-key.{KEY}");
    let mut socket = client.open("/chat", &offer).await.unwrap_or_else(|it| panic!("{it:?}"));
    assert_eq!(socket.hear().await, "hello acme over HTTP/2.0, you offer [chat.v1]");
    assert_eq!(socket.ask("echo").await, "echo");
    assert_eq!(socket.protocol(), Some("chat.v1"));
    socket.close().await;

    let forbidden = r#"{"error":"You do not have permission to perform this action."}"#;
    for (path, offer, status, body) in [
        ("/chat", "chat.v1", 401, r#"{"error":"Missing API key."}"#),
        ("/chat", "api-key.key_0123456789abcdee", 401, r#"{"error":"Invalid API key provided."}"#),
        ("/brief", &*offer, 403, forbidden),
        ("/other", &*offer, 403, forbidden),
    ] {
        match client.open(path, offer).await {
            Err(Refused::Status(got, text)) => assert_eq!((got, &*text), (status, body), "{path}"),
            Err(other) => panic!("{path}: {other:?}"),
            Ok(_) => panic!("{path} opens"),
        }
    }
}

/// Neither a tunnel nor another protocol is a socket, so the gate reads no key from the protocols. A tunnel has no path
/// and so no route. Another protocol has the route of `GET`; here the service refuses it with 400.
#[tokio::test]
async fn another_connect_is_no_socket() {
    let offer = format!("chat.v1, api-key.{KEY}");
    let server = start(&builder().build().unwrap()).await;
    let mut client = Client::connect(server).await;
    for (protocol, status) in [
        (None, 403),
        (Some("connect-udp"), 400),
        (Some("webtransport"), 400),
        (Some("WebSocket"), 400),
    ] {
        let mut request = connect(protocol, "/chat", &offer);
        let answer = client.send(request).await;
        assert_eq!(answer.status(), 401, "{protocol:?}");
        request = connect(protocol, "/chat", "chat.v1");
        request.headers_mut().insert("authorization", format!("Bearer {KEY}").parse().unwrap());
        assert_eq!(client.send(request).await.status(), status, "{protocol:?}");
    }
}

/// A row of `CONNECT` counts before that of `GET`, so that neither hides the other's needs.
#[tokio::test]
async fn a_row_of_connect_counts_first() {
    const CONNECT: &[Method] = &[Method::CONNECT];
    let offer = format!("chat.v1, api-key.{KEY}");
    let (chat, admin) = (Route::new().all_of(&["chat"]), Route::new().all_of(&["admin"]));
    for (routes, status) in [
        (Routes::new().get("/chat", admin).on(CONNECT, "/chat", chat), 200),
        (Routes::new().get("/chat", chat).on(CONNECT, "/chat", admin), 403),
        (Routes::new().get("/chat", admin).any("/chat", chat), 403),
        (Routes::new().get("/chat", chat).any("/chat", admin), 200),
        (Routes::new().any("/chat", chat), 200),
        (Routes::new().post("/chat", admin).otherwise(Otherwise::Need(chat)), 200),
        (Routes::new().on(&[Method::HEAD], "/chat", chat), 403),
    ] {
        let named = format!("{routes:?}");
        let server = start(&builder().routes(routes).build().unwrap()).await;
        let opened = Client::connect(server).await.open("/chat", &offer).await;
        let got = opened.map_or_else(|refused| refused.status(), |_| 200);
        assert_eq!(got, status, "{named}");
    }
}

#[tokio::test]
async fn the_gate_selects_a_protocol_over_http_2_too() {
    let gate = builder().select_websocket_protocol("chat.v1").build().unwrap();
    let server = start(&gate).await;
    let offer = format!("chat.v1, api-key.{KEY}");
    let mut client = Client::connect(server).await;
    let mut socket = client.open("/silent", &offer).await.unwrap_or_else(|it| panic!("{it:?}"));
    assert_eq!(socket.hear().await, "hello acme over HTTP/2.0, you offer [chat.v1]");
    assert_eq!(socket.protocol(), Some("chat.v1"));
}
