//! A server with WebSockets behind a gate, on a socket of its own.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::Extension;
use axum::Router;
use axum::extract::ws::{Message, WebSocket};
use axum::extract::{FromRequestParts, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::{any, get};
use http::request::Parts;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tower::Layer;
use tower_api_key::request::Connection;
use tower_api_key::{ApiKeyLayer, Grant, MarkConnection};

/// Starts a server of [`router`] that runs as long as its test's runtime. Every client counts as one that came
/// over TLS.
pub(crate) async fn start(gate: &ApiKeyLayer) -> SocketAddr {
    serving(router().layer(gate.clone())).await
}

/// Starts a server of an app, as [`start`] does.
pub(crate) async fn serving(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, peer) = listener.accept().await.unwrap();
            tokio::spawn(serve(stream, Connection::tls(peer), app.clone()));
        }
    });
    address
}

/// | path | what |
/// |---|---|
/// | `/chat` | a socket that holds its permit and selects `chat.v1` |
/// | `/brief` | a socket that does not ask for its permit, and selects `chat.v1` |
/// | `/silent` | a socket that selects no protocol |
/// | `/kept` | a handler that keeps its permit, and answers without a socket |
pub(crate) fn router() -> Router {
    Router::new()
        .route("/chat", any(chat))
        .route("/brief", any(brief))
        .route("/silent", any(silent))
        .route("/kept", get(kept))
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

async fn chat(
    Told(told): Told,
    Extension(grant): Extension<Grant>,
    socket: WebSocketUpgrade,
) -> Response {
    let permit = grant.permit().unwrap();
    socket.protocols(["chat.v1"]).on_upgrade(async move |socket| {
        talk(socket, told).await;
        drop(permit);
    })
}

async fn brief(Told(told): Told, socket: WebSocketUpgrade) -> Response {
    socket.protocols(["chat.v1"]).on_upgrade(|socket| talk(socket, told))
}

async fn silent(Told(told): Told, socket: WebSocketUpgrade) -> Response {
    socket.on_upgrade(|socket| talk(socket, told))
}

async fn kept(Extension(grant): Extension<Grant>) -> &'static str {
    let permit = grant.permit().unwrap();
    tokio::spawn(async move {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        drop(permit);
    });
    "kept"
}

/// Whose socket it is, in which version of HTTP, and what the service saw of the offer.
struct Told(String);

impl<S: Sync> FromRequestParts<S> for Told {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let account = parts.extensions.get::<Grant>().unwrap().account();
        let offer = parts.headers.get_all("sec-websocket-protocol").iter();
        let offer = offer.map(|line| line.to_str().unwrap()).collect::<Vec<_>>().join("; ");
        Ok(Self(format!("hello {account} over {:?}, you offer [{offer}]", parts.version)))
    }
}

/// Says what the service was told, then repeats what it hears.
async fn talk(mut socket: WebSocket, told: String) {
    if socket.send(Message::Text(told.into())).await.is_err() {
        return;
    }
    while let Some(Ok(message)) = socket.recv().await {
        if matches!(message, Message::Text(_)) && socket.send(message).await.is_err() {
            return;
        }
    }
}
