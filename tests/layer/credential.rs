//! What becomes of the credential once it is read.

use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::ApiKeyLayer;

use crate::support::{KEY, PROFILE, anonymous, greeting, request, send, store};

/// Returns what the inner service sees of the two headers, and whether they are sensitive.
async fn seen(layer: &ApiKeyLayer, request: Request<()>) -> Vec<(String, bool)> {
    let (sender, receiver) = std::sync::mpsc::channel();
    let service = layer.layer(service_fn(move |request: Request<()>| {
        for name in ["authorization", "x-api-key"] {
            let value = request.headers().get(name);
            let seen = value.map(|value| (name.to_owned(), value.is_sensitive()));
            sender.send(seen).unwrap();
        }
        async { Ok::<_, Infallible>(Response::new(Full::new(Bytes::new()))) }
    }));
    service.oneshot(request).await.unwrap();
    receiver.try_iter().flatten().collect()
}

fn own_header() -> Request<()> {
    let mut request = anonymous(Method::GET, "/");
    request.headers_mut().insert("x-api-key", HeaderValue::from_static(KEY));
    request
}

#[tokio::test]
async fn the_credential_is_marked_sensitive() {
    let layer = ApiKeyLayer::builder(PROFILE, store(|key| key)).build().unwrap();
    let bearer = seen(&layer, request(Method::GET, "/")).await;
    assert_eq!(bearer, [("authorization".to_owned(), true)]);
    assert_eq!(seen(&layer, own_header()).await, [("x-api-key".to_owned(), true)]);
}

#[tokio::test]
async fn the_credential_can_be_removed() {
    let layer = ApiKeyLayer::builder(PROFILE, store(|key| key)).strip_credential();
    let layer = layer.build().unwrap();
    assert_eq!(seen(&layer, request(Method::GET, "/")).await, []);
    assert_eq!(seen(&layer, own_header()).await, []);
}

#[tokio::test]
async fn answers_to_keys_in_headers_of_their_own_are_private() {
    let layer = ApiKeyLayer::builder(PROFILE, store(|key| key)).build().unwrap();
    let service = greeting(&layer);
    let own = send(&service, own_header()).await;
    assert_eq!(own.headers()["cache-control"], "private");
    assert_eq!(own.headers()["vary"], "x-api-key");
    let bearer = send(&service, request(Method::GET, "/")).await;
    assert!(bearer.headers().is_empty(), "caches know Authorization: {:?}", bearer.headers());
}
