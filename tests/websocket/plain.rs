//! Another upgrade than to a WebSocket, behind a service of hyper's alone.

use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::{Layer, service_fn};
use tower_api_key::concurrency::Concurrency;
use tower_api_key::request::Connection;
use tower_api_key::rules::{Route, Routes};
use tower_api_key::{ApiKeyLayer, Grant, MarkConnection};

use crate::support::{KEY, PROFILE, store};

/// Starts a server that switches to a protocol which repeats what it hears.
async fn start(gate: ApiKeyLayer) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, peer) = listener.accept().await.unwrap();
            let service = gate.layer(service_fn(switch));
            let service = MarkConnection::new(Connection::tls(peer)).layer(service);
            tokio::spawn(async move {
                let builder = Builder::new(TokioExecutor::new());
                let service = TowerToHyperService::new(service);
                // How it ends is the client's to see.
                let _ = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
            });
        }
    });
    address
}

async fn switch(mut request: Request<Incoming>) -> Result<Response<Empty<Bytes>>, Infallible> {
    let permit = request.extensions().get::<Grant>().and_then(|grant| grant.permit().unwrap());
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        if let Ok(upgraded) = upgrade.await {
            let (mut reader, mut writer) = tokio::io::split(TokioIo::new(upgraded));
            let _ = tokio::io::copy(&mut reader, &mut writer).await;
        }
        drop(permit);
    });
    let mut response = Response::new(Empty::new());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    response.headers_mut().insert("connection", "upgrade".parse().unwrap());
    response.headers_mut().insert("upgrade", "echo".parse().unwrap());
    Ok(response)
}

/// Asks for the upgrade, and returns the connection with the status.
async fn ask(server: SocketAddr) -> (TcpStream, u16) {
    let mut stream = TcpStream::connect(server).await.unwrap();
    let head = format!(
        "GET /echo HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {KEY}\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.unwrap());
    }
    let status = String::from_utf8(answer[9..12].to_vec()).unwrap();
    (stream, status.parse().unwrap())
}

#[tokio::test]
async fn an_upgraded_connection_holds_its_permit() {
    let routes = Routes::new().get("/echo", Route::new().concurrency(Concurrency::new(1)));
    let gate = ApiKeyLayer::builder(PROFILE, store(|key| key)).routes(routes).build().unwrap();
    let server = start(gate).await;
    let (mut first, status) = ask(server).await;
    assert_eq!(status, 101);
    first.write_all(b"hello").await.unwrap();
    let mut heard = [0; 5];
    first.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"hello");
    assert_eq!(ask(server).await.1, 429);
    drop(first);
    let again = async {
        while ask(server).await.1 != 101 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    let patience = std::time::Duration::from_secs(10);
    tokio::time::timeout(patience, again).await.expect("the permit comes back");
}
