//! The layer takes the body types of hyper, axum and tonic, and keeps their content whole.

use std::convert::Infallible;
use std::error::Error;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body::Body as _;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_api_key::{ApiKeyLayer, GateBody};

use crate::support::{PROFILE, anonymous, greeting, request, send, store, text};

/// Sends a request through the layer around a service of these body types.
async fn through<Q, R>(body: Q, answer: R) -> Response<GateBody<R>>
where
    Q: Send + 'static,
    R: http_body::Body<Data = Bytes> + Send + 'static,
{
    let layer = ApiKeyLayer::builder(PROFILE, store(|key| key)).build().unwrap();
    let mut answer = Some(answer);
    let inner = service_fn(move |_: Request<Q>| {
        let response = Response::new(answer.take().unwrap());
        async move { Ok::<_, Infallible>(response) }
    });
    let inner = tower::util::BoxService::new(inner);
    let service = layer.layer(tower::buffer::Buffer::new(inner, 1));
    service.oneshot(request(Method::POST, "/").map(|()| body)).await.unwrap()
}

#[tokio::test]
async fn bodies_of_the_ecosystem_pass() {
    let full = through(Empty::<Bytes>::new(), Full::new(Bytes::from("hyper"))).await;
    assert_eq!(text(full).await, "hyper");
    let unsync: UnsyncBoxBody<Bytes, Infallible> = Full::new(Bytes::from("boxed")).boxed_unsync();
    assert_eq!(text(through((), unsync).await).await, "boxed");
    let tonic = tonic::body::Body::new(Full::new(Bytes::from("tonic")));
    assert_eq!(text(through(tonic::body::Body::empty(), tonic).await).await, "tonic");
    let axum = axum::body::Body::from("axum");
    assert_eq!(text(through(axum::body::Body::empty(), axum).await).await, "axum");
}

/// A server that knows the length sends `Content-Length`, and one that knows the end sends no chunk for it.
#[tokio::test]
async fn a_body_tells_its_length_and_its_end() {
    let mut full = through((), Full::new(Bytes::from("hyper"))).await.into_body();
    assert_eq!((full.size_hint().exact(), full.is_end_stream()), (Some(5), false));
    assert!(full.frame().await.is_some());
    assert_eq!((full.size_hint().exact(), full.is_end_stream()), (Some(0), true));
    let empty = through((), Empty::<Bytes>::new()).await.into_body();
    assert_eq!((empty.size_hint().exact(), empty.is_end_stream()), (Some(0), true));

    let layer = ApiKeyLayer::builder(PROFILE, store(|key| key)).build().unwrap();
    let mut refusal = send(&greeting(&layer), anonymous(Method::GET, "/")).await.into_body();
    let length = refusal.size_hint().exact().unwrap();
    assert!(length > 0 && !refusal.is_end_stream());
    let content = refusal.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(content.len() as u64, length);
    assert_eq!((refusal.size_hint().exact(), refusal.is_end_stream()), (Some(0), true));
}

/// The bounds that hyper's and axum's servers put on a service.
fn is_servable<S, B>(_: &S)
where
    S: Service<Request<hyper::body::Incoming>, Response = Response<B>> + Clone + Send + Sync,
    S::Future: Send,
    B: http_body::Body + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
}

#[test]
fn a_gate_can_be_served() {
    let layer = ApiKeyLayer::builder(PROFILE, store(|key| key)).build().unwrap();
    let inner = service_fn(|_: Request<hyper::body::Incoming>| async {
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::new())))
    });
    is_servable(&layer.layer(inner));
}
