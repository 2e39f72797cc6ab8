//! The answer about an admitted request.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::CACHE_CONTROL;
use http::{HeaderValue, Request, Response};
use http_body_util::Full;
use tower::Service;
use tower_api_key::Grant;

use crate::identity;

/// A service that the gate calls for an admitted request. It answers 200, and says whose request it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Admitted;

impl<B> Service<Request<B>> for Admitted {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut answer = Response::new(Full::default());
        // It holds for one request. A cache of a proxy must not repeat it.
        answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        // A request without a key has no identity.
        if let Some(grant) = request.extensions().get::<Grant>() {
            identity::write(grant, answer.headers_mut());
        }
        // Tells this answer from every refusal.
        answer.extensions_mut().insert(Self);
        ready(Ok(answer))
    }
}
