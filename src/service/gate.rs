//! The service: marks the credential, begins the decision, and returns the future of the response.

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
use super::emptied::emptied;
use super::exchange::Exchange;
use super::forward_auth::{restore, unstated};
use super::future::ResponseFuture;
use super::shared::{PerGate, Shared, SharedHandle};
use crate::request::Head;

/// A service that admits or refuses requests to its inner service. [`ApiKeyLayer`](super::ApiKeyLayer) makes
/// it.
///
/// ```
/// use std::convert::Infallible;
/// use bytes::Bytes;
/// use http::{Request, Response};
/// use http_body_util::Full;
/// use tower::{Layer, Service, ServiceExt, service_fn};
/// use tower_api_key::{ApiKeyGate, ApiKeyLayer, Profile, store::MemoryStore};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let layer = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new()).build()?;
/// let inner = service_fn(|_: Request<()>| async {
///     Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
/// });
/// let mut gate: ApiKeyGate<_> = layer.layer(inner);
/// let response = gate.ready().await?.call(Request::new(())).await?;
/// assert_eq!(response.status(), 400); // no proof of HTTPS, so `inner` was not called
/// # Ok(()) }
/// ```
pub struct ApiKeyGate<S> {
    /// Counted for all clones of the gate.
    shared: Arc<PerGate>,
    /// Counted for this gate alone, from the second request on.
    own: Option<Arc<PerGate>>,
    called: bool,
    inner: S,
}

impl<S> ApiKeyGate<S> {
    pub(super) fn new(shared: &Arc<Shared>, inner: S) -> Self {
        Self::counted_by(PerGate::new(shared), inner)
    }

    const fn counted_by(shared: Arc<PerGate>, inner: S) -> Self {
        Self { shared, own: None, called: false, inner }
    }

    /// Returns a handle of the layer's shared state, for one request.
    fn share(&mut self) -> SharedHandle {
        if let Some(own) = &self.own {
            return SharedHandle::of(own);
        }
        if !mem::replace(&mut self.called, true) {
            return SharedHandle::of(&self.shared);
        }
        SharedHandle::of(self.own.insert(PerGate::new(self.shared.shared())))
    }
}

impl<S: Clone> Clone for ApiKeyGate<S> {
    fn clone(&self) -> Self {
        Self::counted_by(Arc::clone(&self.shared), self.inner.clone())
    }
}

impl<S, B, R> Service<Request<B>> for ApiKeyGate<S>
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
        call(self.share(), &mut self.inner, request)
    }
}

/// Decides about a request, and calls the inner service if it is admitted at once. The inner service was polled ready.
pub(super) fn call<S, B, R>(
    shared: SharedHandle,
    inner: &mut S,
    mut request: Request<B>,
) -> ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    B: 'static,
{
    let restored = restore(&shared, &mut request);
    let head = Head::of(&request);
    let mut exchange = Exchange::new(shared, &request, head);
    if let Err(error) = restored {
        let clone = inner.clone();
        *inner = clone;
        let answer = unstated(&error);
        exchange.observe_unstated(&request, answer.status(), &error);
        return ResponseFuture::answered(exchange, Box::new(answer));
    }
    match exchange.begin(&request, head) {
        ControlFlow::Break(Ok(())) => {
            if let Some(answer) = exchange.own_answer() {
                let clone = inner.clone();
                *inner = clone;
                return ResponseFuture::answered(exchange, answer);
            }
            exchange.hand_on(&mut request);
            ResponseFuture::calling(exchange, inner.call(request))
        }
        ControlFlow::Break(Err(denial)) => {
            // Dropping the ready instance gives back what it reserved in `poll_ready`.
            let clone = inner.clone();
            *inner = clone;
            let extensions = emptied(request.extensions_mut());
            ResponseFuture::refused(exchange, denial, extensions)
        }
        ControlFlow::Continue(wait) => {
            // The ready instance waits with the request. Its clone must be polled ready again.
            let clone = inner.clone();
            let ready = mem::replace(inner, clone);
            ResponseFuture::waiting(exchange, wait, request, ready)
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for ApiKeyGate<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ApiKeyGate")
            .field("profile", &self.shared.shared().name)
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ApiKeyLayer;
    use crate::store::MemoryStore;
    use crate::vendors::POLYTEIA;

    /// A server that clones the gate for each request allocates no count for the clone.
    #[test]
    fn clones_share_a_count_and_a_gate_counts_apart_from_its_second_request_on() {
        let layer = ApiKeyLayer::builder(POLYTEIA, MemoryStore::new()).build().unwrap();
        let made = || tower_layer::Layer::layer(&layer, ());
        let (mut gate, other) = (made(), made());
        let _first = gate.share();
        assert_eq!((Arc::strong_count(&gate.shared), gate.own.is_none()), (2, true));
        let clone = gate.clone();
        assert_eq!(Arc::strong_count(&gate.shared), 3);
        let _others = [gate.share(), gate.share()];
        assert_eq!(Arc::strong_count(&gate.shared), 3, "no request of this gate counts there");
        assert_eq!(gate.own.as_ref().map(Arc::strong_count), Some(3));
        assert!(clone.own.is_none() && !clone.called, "a clone starts again");
        assert_eq!(Arc::strong_count(&other.shared), 1, "another gate has another count");
    }
}
