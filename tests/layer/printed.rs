//! What a log shows of the layer and what it makes: their names and the vendor, and no secret.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use tower::{Layer, Service};
use tower_api_key::ApiKeyLayer;

use crate::support::{PROFILE, request, store};

#[derive(Clone, Debug)]
struct Inner;

impl Service<Request<()>> for Inner {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        ready(Ok(Response::default()))
    }
}

#[test]
fn a_layer_its_gates_and_their_answers_are_printed_by_name() {
    let layer = ApiKeyLayer::builder(PROFILE, store(|key| key)).build().unwrap();
    assert_eq!(format!("{layer:?}"), r#"ApiKeyLayer { profile: "Test", .. }"#);
    let mut gate = layer.layer(Inner);
    assert_eq!(format!("{gate:?}"), r#"ApiKeyGate { profile: "Test", inner: Inner, .. }"#);
    let answer = format!("{:?}", gate.call(request(Method::GET, "/")));
    assert_eq!(answer, "ResponseFuture");
}
