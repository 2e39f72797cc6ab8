//! A line in the log for each request.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use arc_swap::ArcSwap;
use http::{Request, Response};
use tower::Service;
use tower_api_key::decision::GateDecision;
use tracing::info;

use crate::forward::{Routing, ServedBy};

/// Writes a line for each answer, outside of the gate, if the settings say so. The line has no path, because clients
/// put names and secrets there. It has the path of the route.
#[derive(Clone)]
pub(super) struct AccessLog<S> {
    pub(super) inner: S,
    pub(super) routing: Arc<ArcSwap<Routing>>,
}

type Answer<T, E> = Pin<Box<dyn Future<Output = Result<Response<T>, E>> + Send>>;

impl<S, B, T> Service<Request<B>> for AccessLog<S>
where
    S: Service<Request<B>, Response = Response<T>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
    T: 'static,
{
    type Response = Response<T>;
    type Error = S::Error;
    type Future = Answer<T, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if !self.routing.load().has_access_log {
            return Box::pin(self.inner.call(request));
        }
        let (method, version) = (request.method().clone(), request.version());
        let (begin, answer) = (Instant::now(), self.inner.call(request));
        Box::pin(async move {
            let answer = answer.await?;
            let decision = answer.extensions().get::<GateDecision>();
            let served_by = answer.extensions().get::<ServedBy>();
            info!(
                target: "gateway::access",
                %method,
                ?version,
                status = answer.status().as_u16(),
                milliseconds = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX),
                decision = decision.map(GateDecision::name),
                account = decision.and_then(GateDecision::account).map(tracing::field::display),
                key = decision.and_then(GateDecision::key_id).map(tracing::field::display),
                route = served_by.map(|served_by| &*served_by.route),
                upstream = served_by.map(|served_by| &*served_by.upstream),
            );
            Ok(answer)
        })
    }
}
