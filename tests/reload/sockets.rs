//! Connections that stay open while the layer is replaced.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tower::{Layer, service_fn};
use tower_api_key::reload::ReloadableLayer;
use tower_api_key::request::Connection;
use tower_api_key::{Grant, MarkConnection};

use super::{NEW, OLD, answered_by, door};
use crate::support::{KEY, store};

/// A client with one connection.
enum Client {
    Http1(http1::SendRequest<Empty<Bytes>>),
    Http2(http2::SendRequest<Empty<Bytes>>),
}

impl Client {
    async fn http1(address: SocketAddr) -> Self {
        let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
        let (sender, connection) = http1::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        Self::Http1(sender)
    }

    async fn http2(address: SocketAddr) -> Self {
        let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
        let shaken = http2::handshake(TokioExecutor::new(), stream).await;
        let (sender, connection) = shaken.unwrap();
        tokio::spawn(connection);
        Self::Http2(sender)
    }

    /// Sends a request on the connection. Returns the status, the layer that answered, and the content.
    async fn ask(&mut self) -> (u16, String, Bytes) {
        let request = Request::get("http://localhost/")
            .header("host", "localhost")
            .header("authorization", format!("Bearer {KEY}"))
            .body(Empty::new())
            .unwrap();
        let response = match self {
            Self::Http1(sender) => {
                sender.ready().await.unwrap();
                sender.send_request(request).await
            }
            Self::Http2(sender) => {
                sender.ready().await.unwrap();
                sender.send_request(request).await
            }
        };
        let response = response.unwrap();
        let (status, by) = (response.status().as_u16(), answered_by(&response).to_owned());
        (status, by, response.into_body().collect().await.unwrap().to_bytes())
    }
}

/// Serves each connection with a gate of its own.
async fn serve(layer: ReloadableLayer) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, peer) = listener.accept().await.unwrap();
            let inner = service_fn(|_: Request<Incoming>| async {
                Ok::<_, Infallible>(Response::new(Full::new(Bytes::from("hello"))))
            });
            let service = MarkConnection::new(Connection::tls(peer)).layer(layer.layer(inner));
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                let service = TowerToHyperService::new(service);
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    address
}

#[tokio::test]
async fn an_open_connection_meets_the_new_layer_at_its_next_request() {
    let store = store(|key| key);
    let (layer, handle) = ReloadableLayer::new(door(&OLD, store.clone()).build().unwrap());
    let address = serve(layer).await;
    for mut client in [Client::http1(address).await, Client::http2(address).await] {
        for (profile, by) in [(&OLD, "old"), (&NEW, "new"), (&OLD, "old")] {
            handle.reload(|previous| door(profile, store.clone()).build_after(previous)).unwrap();
            for _ in 0..3 {
                let answer = client.ask().await;
                assert_eq!(answer, (200, by.to_owned(), Bytes::from("hello")));
            }
        }
        let closed = door(&NEW, store.clone()).audience("others");
        handle.reload(|previous| closed.build_after(previous)).unwrap();
        let (status, by, _) = client.ask().await;
        assert_eq!((status, &*by), (401, "new"), "and the connection stays open");
    }
}

#[tokio::test]
async fn a_router_that_was_built_before_meets_the_new_layer() {
    let store = store(|key| key);
    let build = |profile| door(profile, store.clone()).assume_https();
    let (layer, handle) = ReloadableLayer::new(build(&OLD).build().unwrap());
    let users = |grant: Grant| async move { grant.account().to_string() };
    let app = Router::new().route("/", get(users)).layer(layer);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let mut client = Client::http1(address).await;
    for (profile, by) in [(&OLD, "old"), (&NEW, "new")] {
        handle.reload(|previous| build(profile).build_after(previous)).unwrap();
        assert_eq!(client.ask().await, (200, by.to_owned(), Bytes::from("acme")));
    }
}

/// Clients over both versions, while the layer is replaced again and again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_on_open_connections_under_reloads() {
    let store = store(|key| key);
    let (layer, handle) = ReloadableLayer::new(door(&OLD, store.clone()).build().unwrap());
    let address = serve(layer).await;
    let mut clients = tokio::task::JoinSet::new();
    for number in 0..6 {
        clients.spawn(async move {
            let mut client = match number % 2 {
                0 => Client::http1(address).await,
                _ => Client::http2(address).await,
            };
            for _ in 0..200 {
                assert_eq!(client.ask().await.0, 200);
            }
        });
    }
    let mut swaps = 0;
    while !clients.is_empty() {
        let profile = if swaps % 2 == 0 { &NEW } else { &OLD };
        handle.reload(|previous| door(profile, store.clone()).build_after(previous)).unwrap();
        swaps += 1;
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        while let Some(ended) = clients.try_join_next() {
            ended.unwrap();
        }
    }
    assert!(swaps > 3, "{swaps}");
}
