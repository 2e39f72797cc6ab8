//! The service: plans what to do with the response, then calls the inner service.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::body::ShapedBody;
use super::future::ShapingFuture;
use super::plan::ResponsePlan;
use super::rules::ShapingRules;

/// A service that changes the JSON of its inner service's responses. [`ShapingLayer`](super::ShapingLayer) makes it.
#[derive(Debug, Clone)]
pub struct ShapingService<S> {
    rules: Arc<ShapingRules>,
    inner: S,
}

impl<S> ShapingService<S> {
    pub(super) const fn new(rules: Arc<ShapingRules>, inner: S) -> Self {
        Self { rules, inner }
    }
}

impl<S, B, R> Service<Request<B>> for ShapingService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    R: Body,
    R::Data: From<Bytes>,
{
    type Response = Response<ShapedBody<R>>;
    type Error = S::Error;
    type Future = ShapingFuture<S::Future, R>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        match ResponsePlan::new(&self.rules, &mut request) {
            Ok(plan) => ShapingFuture::calling(self.inner.call(request), plan),
            Err(denial) => {
                // Dropping the ready instance gives back what it reserved in `poll_ready`.
                let clone = self.inner.clone();
                self.inner = clone;
                ShapingFuture::refused(denial)
            }
        }
    }
}
