//! The service whose rules change between two requests.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::current::CurrentLayer;
use crate::service::body::GateBody;
use crate::service::future::ResponseFuture;
use crate::service::gate;

/// A service that admits or refuses requests by the layer that serves when they come.
/// [`ReloadableLayer`](super::ReloadableLayer) makes it, and has an example.
///
/// The gate is ready when its inner service is. It asks for the layer when it is called, so a layer that is replaced
/// between [`poll_ready`](Service::poll_ready) and [`call`](Service::call) decides nothing more.
#[derive(Clone)]
pub struct ReloadableGate<S> {
    current: Arc<CurrentLayer>,
    inner: S,
}

impl<S> ReloadableGate<S> {
    pub(super) const fn new(current: Arc<CurrentLayer>, inner: S) -> Self {
        Self { current, inner }
    }
}

impl<S, B, R> Service<Request<B>> for ReloadableGate<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    B: 'static,
    R: Body,
    R::Data: From<Bytes>,
{
    type Response = Response<GateBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, B>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        gate::call(self.current.share(), &mut self.inner, request)
    }
}

impl<S: fmt::Debug> fmt::Debug for ReloadableGate<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ReloadableGate")
            .field("profile", &self.current.shared().name)
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
