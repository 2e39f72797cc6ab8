//! A permit of simultaneous requests that follows a socket.

use std::time::Duration;

use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::concurrency::{Concurrency, MemoryConcurrency, PermitGone};
use tower_api_key::profile::CredentialSource;
use tower_api_key::rules::{Route, Routes};
use tower_api_key::{ApiKeyLayer, Grant, Profile};

use super::client::{Socket, open};
use super::server::start;
use crate::support::{KEY, PROFILE, greeting, reason, request, send, store};

const ONE: Route = Route::new().concurrency(Concurrency::new(1));

fn gate(limiter: &MemoryConcurrency) -> ApiKeyLayer {
    let credentials =
        &[CredentialSource::bearer(), CredentialSource::websocket_protocol("api-key.")];
    let routes = Routes::new().get("/chat", ONE).get("/brief", ONE).get("/kept", ONE);
    let routes = routes.post("/", ONE).get("/", Route::new());
    ApiKeyLayer::builder(Profile { credentials, ..PROFILE }, store(|key| key))
        .routes(routes)
        .concurrency(limiter.clone(), tower_api_key::quota::OnLimiterFailure::Deny)
        .build()
        .unwrap()
}

/// Returns the status that a socket is refused with, or the socket.
async fn socket(server: std::net::SocketAddr, path: &str) -> Result<Socket, u16> {
    let offer = format!("chat.v1, api-key.{KEY}");
    let opened = open(server, path, &[("sec-websocket-protocol", &offer)]).await;
    opened.map_err(|refused| refused.status())
}

/// Waits until no request holds a permit.
async fn idle(limiter: &MemoryConcurrency) {
    let all_free = "MemoryConcurrency(0 accounts and routes)";
    let waiting = async {
        while format!("{limiter:?}") != all_free {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("a permit is kept");
}

#[tokio::test]
async fn a_limit_of_one_is_one_socket() {
    let limiter = MemoryConcurrency::new();
    let server = start(&gate(&limiter)).await;
    let mut first = socket(server, "/chat").await.unwrap();
    assert_eq!(first.hear().await, "hello acme over HTTP/1.1, you offer [chat.v1]");
    for _ in 0..3 {
        assert_eq!(socket(server, "/chat").await.err(), Some(429));
    }
    assert_eq!(first.ask("still here").await, "still here");
    first.close().await;
    idle(&limiter).await;

    // A client that is gone without a farewell has no socket.
    let second = socket(server, "/chat").await.unwrap();
    assert_eq!(socket(server, "/chat").await.err(), Some(429));
    drop(second);
    idle(&limiter).await;
    drop(socket(server, "/chat").await.unwrap());
}

#[cfg(feature = "http2")]
#[tokio::test]
async fn a_limit_of_one_is_one_socket_over_http_2_too() {
    use super::extended::Client;

    let limiter = MemoryConcurrency::new();
    let server = start(&gate(&limiter)).await;
    let offer = format!("chat.v1, api-key.{KEY}");
    let mut client = Client::connect(server).await;
    let mut first = client.open("/chat", &offer).await.unwrap_or_else(|it| panic!("{it:?}"));
    assert_eq!(first.hear().await, "hello acme over HTTP/2.0, you offer [chat.v1]");
    assert_eq!(client.open("/chat", &offer).await.err().map(|it| it.status()), Some(429));
    assert_eq!(socket(server, "/chat").await.err(), Some(429), "nor over another version");
    drop(first);
    idle(&limiter).await;
    let first = socket(server, "/chat").await.unwrap();
    assert_eq!(client.open("/chat", &offer).await.err().map(|it| it.status()), Some(429));
    drop(first);
    idle(&limiter).await;
}

/// What happens without a call of `Grant::permit`, as the documentation says.
#[tokio::test]
async fn by_default_a_permit_ends_with_the_handshake() {
    let limiter = MemoryConcurrency::new();
    let server = start(&gate(&limiter)).await;
    let mut sockets = Vec::new();
    for _ in 0..3 {
        sockets.push(socket(server, "/brief").await.unwrap());
        idle(&limiter).await;
    }
    for socket in &mut sockets {
        assert_eq!(socket.hear().await, "hello acme over HTTP/1.1, you offer [chat.v1]");
    }
}

#[tokio::test]
async fn a_handler_that_opens_no_socket_gives_its_permit_back() {
    let limiter = MemoryConcurrency::new();
    let server = start(&gate(&limiter)).await;
    // The service answers 426 and the like to what is no handshake of its own.
    let version = [("sec-websocket-version", "12")];
    let bearer = format!("Bearer {KEY}");
    let lines = [&version[..], &[("authorization", &*bearer)]].concat();
    assert_eq!(open(server, "/chat", &lines).await.err().map(|it| it.status()), Some(400));
    idle(&limiter).await;
    // A client that hangs up during the handshake.
    let stream = tokio::net::TcpStream::connect(server).await.unwrap();
    let half = format!(
        "GET /chat HTTP/1.1\r\nhost: a\r\nauthorization: {bearer}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n"
    );
    let mut stream = stream;
    tokio::io::AsyncWriteExt::write_all(&mut stream, half.as_bytes()).await.unwrap();
    drop(stream);
    idle(&limiter).await;
    assert!(socket(server, "/chat").await.is_ok());
}

/// Two handles and the response's body hold one permit. Neither the grant nor its clones hold it.
#[tokio::test]
async fn the_last_handle_gives_the_permit_back() {
    let limiter = MemoryConcurrency::new();
    let layer = gate(&limiter);
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let service = layer.layer(service_fn(move |request: Request<()>| {
        let grant = request.extensions().get::<Grant>().cloned();
        sender.send((grant.clone(), grant.and_then(|grant| grant.permit().unwrap()))).unwrap();
        async {
            Ok::<_, std::convert::Infallible>(Response::new(Full::<bytes::Bytes>::from("done")))
        }
    }));
    let post = || request(Method::POST, "/");
    let is_full = async || reason(&send(&greeting(&layer), post()).await) == "concurrency_exceeded";
    let answer = service.clone().oneshot(post()).await.unwrap();
    let (grant, first) = receiver.recv().await.unwrap();
    let grant = grant.unwrap();
    let second = grant.clone().permit().unwrap();
    assert!(first.is_some() && second.is_some());
    drop(first);
    assert!(is_full().await, "the body and a handle are left");
    answer.into_body().collect().await.unwrap();
    assert!(is_full().await, "a handle is left");
    drop(second);
    assert!(!is_full().await, "the grant holds nothing");
    assert_eq!(grant.permit().unwrap_err(), PermitGone, "what was given back does not come again");

    let answer = service.clone().oneshot(post()).await.unwrap();
    let (_, permit) = receiver.recv().await.unwrap();
    drop(permit);
    assert!(is_full().await, "the body is left");
    drop(answer);
    assert!(!is_full().await);

    // A route without a limit has no permit.
    drop(service.oneshot(request(Method::GET, "/")).await.unwrap());
    assert!(receiver.recv().await.unwrap().1.is_none());
}

/// Work after a response may hold the permit as well.
#[tokio::test]
async fn work_after_the_response_holds_the_permit() {
    let limiter = MemoryConcurrency::new();
    let server = start(&gate(&limiter)).await;
    let client = async || {
        let bearer = format!("Bearer {KEY}");
        open(server, "/kept", &[("authorization", &bearer)]).await.err().unwrap().status()
    };
    assert_eq!(client().await, 200, "no socket");
    assert_eq!(client().await, 429);
    idle(&limiter).await;
    assert_eq!(client().await, 200);
}
