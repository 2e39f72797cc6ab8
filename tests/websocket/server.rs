//! A server with WebSockets behind a gate, on a socket of its own.

use std::net::SocketAddr;

use axum::Extension;
use axum::Router;
use axum::extract::WebSocketUpgrade;
use axum::extract::ws::{Message, WebSocket};
use axum::response::Response;
use axum::routing::{any, get};
use http::HeaderMap;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tower::Layer;
use tower_api_key::request::Connection;
use tower_api_key::{ApiKeyLayer, Grant, MarkConnection};

/// Starts a server that runs as long as its test's runtime. Every client counts as one that came over TLS.
///
/// | path | what |
/// |---|---|
/// | `/chat` | a socket that holds its permit and selects `chat.v1` |
/// | `/brief` | a socket that does not ask for its permit, and selects `chat.v1` |
/// | `/silent` | a socket that selects no protocol |
/// | `/kept` | a handler that keeps its permit, and answers without a socket |
pub(crate) async fn start(gate: &ApiKeyLayer) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = router().layer(gate.clone());
    tokio::spawn(async move {
        loop {
            let (stream, peer) = listener.accept().await.unwrap();
            tokio::spawn(serve(stream, Connection::tls(peer), app.clone()));
        }
    });
    address
}

/// Serves a connection in both versions of HTTP, upgrades and extended `CONNECT` included.
pub(crate) async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    facts: Connection,
    app: Router,
) {
    let service = TowerToHyperService::new(MarkConnection::new(facts).layer(app));
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http2().enable_connect_protocol();
    // How it ends is the client's to see.
    let _ = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
}

pub(crate) fn router() -> Router {
    Router::new()
        .route("/chat", any(chat))
        .route("/brief", any(brief))
        .route("/silent", any(silent))
        .route("/kept", get(kept))
}

async fn chat(
    Extension(grant): Extension<Grant>,
    headers: HeaderMap,
    socket: WebSocketUpgrade,
) -> Response {
    let permit = grant.permit();
    socket.protocols(["chat.v1"]).on_upgrade(async move |socket| {
        talk(socket, &grant, &headers).await;
        drop(permit);
    })
}

async fn brief(
    Extension(grant): Extension<Grant>,
    headers: HeaderMap,
    socket: WebSocketUpgrade,
) -> Response {
    socket
        .protocols(["chat.v1"])
        .on_upgrade(async move |socket| talk(socket, &grant, &headers).await)
}

async fn silent(
    Extension(grant): Extension<Grant>,
    headers: HeaderMap,
    socket: WebSocketUpgrade,
) -> Response {
    socket.on_upgrade(async move |socket| talk(socket, &grant, &headers).await)
}

async fn kept(Extension(grant): Extension<Grant>) -> &'static str {
    let permit = grant.permit();
    tokio::spawn(async move {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        drop(permit);
    });
    "kept"
}

/// Says whose socket it is and what the service saw of the offer, then repeats what it hears.
async fn talk(mut socket: WebSocket, grant: &Grant, headers: &HeaderMap) {
    let offer = headers.get_all("sec-websocket-protocol").iter();
    let offer = offer.map(|line| line.to_str().unwrap()).collect::<Vec<_>>().join("; ");
    let greeting = format!("hello {}, you offer [{offer}]", grant.account());
    if socket.send(Message::Text(greeting.into())).await.is_err() {
        return;
    }
    while let Some(Ok(message)) = socket.recv().await {
        if matches!(message, Message::Text(_)) && socket.send(message).await.is_err() {
            return;
        }
    }
}
