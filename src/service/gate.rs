//! The service: marks the credential, begins the decision, and hands both to the future.

use std::fmt;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::body::GateBody;
use super::flow::Flow;
use super::future::ResponseFuture;
use super::layer::Shared;

/// Guards a service; made by [`ApiKeyLayer`](super::ApiKeyLayer).
#[derive(Clone)]
pub struct ApiKeyGate<S> {
    shared: Arc<Shared>,
    inner: S,
}

impl<S> ApiKeyGate<S> {
    pub(super) const fn new(shared: Arc<Shared>, inner: S) -> Self {
        Self { shared, inner }
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
        // The instance that was polled ready goes into the future; its clone has to be polled anew.
        let clone = self.inner.clone();
        let ready = mem::replace(&mut self.inner, clone);
        for name in self.shared.policy.credentials.header_names() {
            if let Some(value) = request.headers_mut().get_mut(name) {
                value.set_sensitive(true);
            }
        }
        let flow = Flow::begin(Arc::clone(&self.shared), &request);
        ResponseFuture::new(flow, request, ready)
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
