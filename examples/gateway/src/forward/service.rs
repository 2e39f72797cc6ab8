//! The service behind the gate.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower::Service;

use super::exchange::forward;
use super::response_body::ResponseBody;
use super::routing::Routing;
use crate::drain::{Drain, Drained};

/// The service behind the gate, which forwards each request that the gate has admitted.
#[derive(Clone)]
pub(crate) struct Forward {
    routing: Arc<Routing>,
    drain: Drain,
}

impl Forward {
    pub(crate) const fn new(routing: Arc<Routing>, drain: Drain) -> Self {
        Self { routing, drain }
    }
}

impl Service<Request<Drained>> for Forward {
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Drained>) -> Self::Future {
        let (routing, drain) = (Arc::clone(&self.routing), self.drain.clone());
        Box::pin(async move {
            let answer = forward(&routing, &drain, request).await;
            Ok(answer.unwrap_or_else(super::failure::Failure::into_response))
        })
    }
}
