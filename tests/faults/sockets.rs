//! Clients that hang up on a real server, over both versions of HTTP, while their request waits
//! for what never comes.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tower::Layer;
use tower_api_key::MarkConnection;
use tower_api_key::quota::OnLimiterFailure::Deny;
use tower_api_key::request::Connection;

use super::faulty::{Fault, Place};
use super::world::World;
use crate::support::KEY;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    Http1,
    Http2,
}

/// Serves one connection, on a task of its own.
async fn serve(world: &World) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let gate = world.gate();
    tokio::spawn(async move {
        let (stream, peer) = listener.accept().await.unwrap();
        let service = MarkConnection::new(Connection::tls(peer)).layer(gate);
        let server = auto::Builder::new(TokioExecutor::new());
        let service = TowerToHyperService::new(service);
        let _ = server.serve_connection(TokioIo::new(stream), service).await;
    });
    address
}

/// Sends a request and reads its answer as far as it comes. To drop this is to hang up.
async fn ask(address: SocketAddr, version: Version) {
    let request = Request::post("http://localhost/")
        .header("host", "localhost")
        .header("authorization", format!("Bearer {KEY}"))
        .body(Empty::<Bytes>::new())
        .unwrap();
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let mut drivers = JoinSet::new();
    let answer = match version {
        Version::Http1 => {
            let (mut sender, driver) = http1::handshake(stream).await.unwrap();
            drivers.spawn(driver);
            sender.send_request(request).await
        }
        Version::Http2 => {
            let shaken = http2::handshake(TokioExecutor::new(), stream).await;
            let (mut sender, driver) = shaken.unwrap();
            drivers.spawn(driver);
            sender.send_request(request).await
        }
    };
    let _ = answer.unwrap().into_body().collect().await;
}

/// Waits until something holds, in real time.
async fn until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(10), "{what}");
        sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn a_client_hangs_up_on_a_server() {
    let tasks = || Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    for version in [Version::Http1, Version::Http2] {
        for (place, charged) in [
            (Place::Store, 0),
            (Place::Room, 0),
            (Place::Cost, 0),
            (Place::Call, 1),
            (Place::Body, 1),
        ] {
            let what = format!("{version:?} {place:?}");
            let world = World::faulty(Deny);
            world.inner.plan.set(place, Fault::Hangs);
            let client = tokio::spawn(ask(serve(&world).await, version));
            until(&format!("{what}: it waits"), || world.inner.plan.is_over()).await;
            assert!(tasks() > before, "{what}: the server is at it");
            client.abort();
            until(&format!("{what}: the server has noticed"), || tasks() == before).await;
            tokio::time::pause(); // a check waits in its own time
            assert_eq!(world.check(before, 0, &what).await, charged, "{what}");
            tokio::time::resume();
        }
    }
}
