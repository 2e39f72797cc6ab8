//! The instance that was polled ready is the one that is called.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use tower::{Layer, Service, ServiceExt};
use tower_api_key::{ApiKeyLayer, MarkConnection};

use crate::support::{PROFILE, anonymous, request, store, tls};

/// Panics if it is called without having been ready; a clone is not ready.
struct Careful {
    ready: bool,
}

impl Clone for Careful {
    fn clone(&self) -> Self {
        Self { ready: false }
    }
}

impl Service<Request<()>> for Careful {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        assert!(self.ready, "called without having been polled ready");
        self.ready = false;
        ready(Ok(Response::new(Full::new(Bytes::new()))))
    }
}

#[tokio::test]
async fn the_ready_instance_moves_into_the_future() {
    let layer = ApiKeyLayer::builder(PROFILE, store(|key| key)).build().unwrap();
    let mut service = layer.layer(Careful { ready: false });
    for _ in 0..3 {
        let accepted = service.ready().await.unwrap().call(request(Method::GET, "/")).await;
        assert_eq!(accepted.unwrap().status(), 200);
        let refused = service.ready().await.unwrap().call(anonymous(Method::GET, "/")).await;
        assert_eq!(refused.unwrap().status(), 401);
    }
}

/// A mark asks the service behind it, as a limit on connections has to be heard.
#[tokio::test]
async fn a_marked_service_is_ready_when_the_service_is() {
    let mut service = MarkConnection::new(tls()).layer(Careful { ready: false });
    let answer = service.ready().await.unwrap().call(Request::new(())).await;
    assert_eq!(answer.unwrap().status(), 200);
}

/// What the inner service reserved for a request that is refused is given back at once.
#[tokio::test]
async fn a_refusal_holds_no_reservation() {
    let layer = ApiKeyLayer::builder(PROFILE, store(|key| key)).build().unwrap();
    let held = Arc::new(());
    let mut gate = layer.layer(Reserving { pool: Arc::clone(&held), reserved: None });
    let refused = gate.ready().await.unwrap().call(anonymous(Method::GET, "/")).await;
    assert_eq!(refused.unwrap().status(), 401);
    assert_eq!(Arc::strong_count(&held), 2, "the test's own and the pool's");
}

/// Reserves a place when it is polled ready; a clone has none.
struct Reserving {
    pool: Arc<()>,
    reserved: Option<Arc<()>>,
}

impl Clone for Reserving {
    fn clone(&self) -> Self {
        Self { pool: Arc::clone(&self.pool), reserved: None }
    }
}

impl Service<Request<()>> for Reserving {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.reserved = Some(Arc::clone(&self.pool));
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        self.reserved = None;
        ready(Ok(Response::new(Full::new(Bytes::new()))))
    }
}
