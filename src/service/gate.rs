//! The service: marks the credential, begins the decision, and hands both to the future.

use std::fmt;
use std::mem;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::body::GateBody;
use super::flow;
use super::future::ResponseFuture;
use super::layer::{Handle, Shared};

/// Guards a service; made by [`ApiKeyLayer`](super::ApiKeyLayer).
pub struct ApiKeyGate<S> {
    shared: Arc<Handle>,
    inner: S,
}

impl<S> ApiKeyGate<S> {
    pub(super) fn new(shared: Arc<Shared>, inner: S) -> Self {
        Self { shared: Handle::new(shared), inner }
    }
}

impl<S: Clone> Clone for ApiKeyGate<S> {
    /// Makes a gate for another connection, with a handle of its own.
    fn clone(&self) -> Self {
        Self { shared: self.shared.another(), inner: self.inner.clone() }
    }
}

impl<S, B, R> Service<Request<B>> for ApiKeyGate<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    R: Body,
    R::Data: From<Bytes>,
{
    type Response = Response<GateBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, B>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        self.shared.policy.credentials.mark_sensitive(request.headers_mut());
        match flow::begin(&self.shared, &request) {
            ControlFlow::Break(outcome) => {
                ResponseFuture::decided(&self.shared, outcome, request, &mut self.inner)
            }
            ControlFlow::Continue(wait) => {
                // The instance that was polled ready waits along; its clone has to be polled anew.
                let clone = self.inner.clone();
                let ready = mem::replace(&mut self.inner, clone);
                ResponseFuture::waiting(Arc::clone(&self.shared), wait, request, ready)
            }
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for ApiKeyGate<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ApiKeyGate")
            .field("profile", &self.shared.name)
            .field("inner", &self.inner)
            .finish()
    }
}
