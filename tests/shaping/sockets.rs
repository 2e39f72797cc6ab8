//! Shaped responses on the wire, over HTTP/1.1 and HTTP/2.

use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::{Layer, Service, service_fn};
use tower_api_key::ApiKeyLayer;
use tower_api_key::shaping::{OnUnshaped, ShapingLayer};

use super::origin::{Frames, Sent, json};
use crate::support::{KEY, PROFILE, store};

const BODY: &str = r#"{"a_b":1,"secret":"S"}"#;
const SHAPED: &str = r#"{"aB":1}"#;

fn layers() -> (ApiKeyLayer, ShapingLayer) {
    let store = store(|key| key.metadata("inflection", "camel").metadata("blocklist", "secret"));
    let gate = ApiKeyLayer::builder(PROFILE, store).assume_https().build().unwrap();
    let shaping = ShapingLayer::builder(1000, OnUnshaped::Refuse)
        .inflection_metadata("inflection")
        .blocklist_metadata("blocklist");
    (gate, shaping.build().unwrap())
}

/// Serves both versions of HTTP on a port of its own, as long as the test's runtime runs.
async fn serve<S, B>(service: S) -> SocketAddr
where
    S: Service<Request<hyper::body::Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(async move {
                let builder = auto::Builder::new(TokioExecutor::new());
                // A body that fails ends the connection with an error.
                let _ = builder.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    address
}

async fn hyper_server() -> SocketAddr {
    let (gate, shaping) = layers();
    let service = service_fn(|request: Request<_>| async move {
        let pieces = match request.uri().path() {
            "/" => vec![Ok(Sent::Data("{\"a_b\":1,")), Ok(Sent::Data("\"secret\":\"S\"}"))],
            "/trailers" => vec![Ok(Sent::Data(BODY)), Ok(Sent::Trailers("x-checked", "yes"))],
            "/fails" => vec![Ok(Sent::Data("{\"secret\":")), Err("reset")],
            _ => vec![],
        };
        let headers: &[_] =
            if request.method() == "HEAD" { &[("content-length", "22")] } else { &[] };
        Ok::<_, Infallible>(json("", headers).map(|_| Frames(pieces)))
    });
    serve(gate.layer(shaping.layer(service))).await
}

/// Sends a request without waiting for its content to be asked for, and returns what came.
async fn raw(address: SocketAddr, method: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {KEY}\r\nte: trailers\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.to_ascii_lowercase()
}

async fn over_http2(
    address: SocketAddr,
    method: &str,
    path: &str,
) -> Result<(StatusCode, HeaderMap, Bytes), hyper::Error> {
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (mut client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await?;
    tokio::spawn(connection);
    let request = Request::builder()
        .method(method)
        .uri(format!("http://a{path}"))
        .header("authorization", format!("Bearer {KEY}"));
    let response = client.send_request(request.body(Empty::<Bytes>::new()).unwrap()).await?;
    let (parts, body) = response.into_parts();
    Ok((parts.status, parts.headers, body.collect().await?.to_bytes()))
}

#[tokio::test]
async fn a_shaped_body_has_its_length() {
    let address = hyper_server().await;
    let answer = raw(address, "GET", "/").await;
    assert!(answer.contains("\r\ncontent-length: 8\r\n"), "{answer}");
    assert!(answer.ends_with(&format!("\r\n\r\n{}", SHAPED.to_ascii_lowercase())), "{answer}");
    let (status, headers, body) = over_http2(address, "GET", "/").await.unwrap();
    assert_eq!(
        (status, &headers["content-length"], &*body),
        (StatusCode::OK, &"8".parse().unwrap(), SHAPED.as_bytes())
    );
    let answer = raw(address, "GET", "/trailers").await;
    assert!(answer.contains("\r\ntransfer-encoding: chunked\r\n"), "{answer}");
    assert!(!answer.contains("content-length") && !answer.contains("secret"), "{answer}");
}

#[tokio::test]
async fn the_response_to_head_states_no_length_that_get_has_not() {
    let address = hyper_server().await;
    let answer = raw(address, "HEAD", "/none").await;
    assert!(answer.starts_with("http/1.1 200 ok\r\n"), "{answer}");
    assert!(!answer.contains("content-length"), "{answer}");
    let (status, headers, _) = over_http2(address, "HEAD", "/none").await.unwrap();
    assert_eq!((status, headers.get("content-length")), (StatusCode::OK, None));
    // Here the service leaves it to hyper to cut the body.
    let answer = raw(address, "HEAD", "/").await;
    assert!(
        answer.contains("\r\ncontent-length: 8\r\n") && answer.ends_with("\r\n\r\n"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_body_that_fails_ends_the_connection() {
    let address = hyper_server().await;
    let answer = raw(address, "GET", "/fails").await;
    assert!(!answer.contains("secret") && !answer.ends_with("\r\n0\r\n\r\n"), "{answer}");
    over_http2(address, "GET", "/fails").await.unwrap_err();
}

#[cfg(feature = "axum")]
#[tokio::test]
async fn axum_serves_shaped_bodies() {
    use axum::Router;
    use axum::routing::get;

    let (gate, shaping) = layers();
    let handler = || async { ([("content-type", "application/json")], BODY) };
    let large = || async { ([("content-type", "application/json")], format!("{BODY:>1001}")) };
    let text = || async { BODY.to_owned() }; // `text/plain`
    let router = Router::new().route("/", get(handler)).route("/large", get(large));
    let router = router.route("/text", get(text));
    let router = router.layer(shaping).layer(gate);
    let service = service_fn(move |request: Request<hyper::body::Incoming>| {
        router.clone().call(request.map(axum::body::Body::new))
    });
    let address = serve(service).await;
    let answer = raw(address, "GET", "/").await;
    assert!(answer.contains("\r\ncontent-length: 8\r\n"), "{answer}");
    let answer = raw(address, "HEAD", "/").await;
    assert!(
        answer.contains("\r\ncontent-length: 8\r\n") && answer.ends_with("\r\n\r\n"),
        "{answer}"
    );
    let answer = raw(address, "GET", "/text").await;
    assert!(answer.ends_with(&format!("\r\n\r\n{}", SHAPED.to_ascii_lowercase())), "{answer}");
    let answer = raw(address, "GET", "/large").await;
    assert!(answer.starts_with("http/1.1 500 ") && answer.contains("{\"error\""), "{answer}");
}
