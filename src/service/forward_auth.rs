//! Forward auth: a gate that decides for a proxy, which forwards the request itself.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::body::GateBody;
use super::future::ResponseFuture;
use super::gate::ApiKeyGate;
use super::layer::ApiKeyLayer;
use super::mark_connection::connection;
use crate::error::ConfigError;
use crate::request::{OriginalRequest, OriginalRequestError};

/// A layer that answers a proxy's questions about requests, as nginx's `auth_request`, Traefik's `ForwardAuth`, Caddy's
/// `forward_auth` and Envoy's HTTP `ext_authz` ask them.
///
/// The layer restores the [original request](OriginalRequest), and its gate judges that request. The inner service is
/// called for an admitted request only. It answers the proxy with 200, and with the headers that the proxy copies.
/// A refusal is the vendor's own.
///
/// The layer answers a question by itself, with an [`OriginalRequestError`] in the extensions, if
///
/// * the peer is none of the gate's [trusted proxies](crate::ApiKeyLayerBuilder::trusted_proxies). A client that
///   reaches the layer directly learns nothing;
/// * the question does not state the original request exactly once.
///
/// Put the layer on the outside: nothing before it may change the request's method, path or headers.
///
/// ```
/// use std::convert::Infallible;
/// use bytes::Bytes;
/// use http::{Request, Response};
/// use http_body_util::Full;
/// use tower::{Layer, ServiceExt, service_fn};
/// use tower_api_key::key::Networks;
/// use tower_api_key::request::{Connection, OriginalRequest, ProxyHeaders, TrustedProxies};
/// use tower_api_key::{ApiKeyLayer, ForwardAuthLayer, Profile, store::MemoryStore};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let proxies = TrustedProxies::new(Networks::new(["10.0.0.1/32"])?, ProxyHeaders::XForwarded);
/// let gate = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new());
/// let gate = gate.trusted_proxies(proxies.always_proxies()).build()?;
/// let checker = ForwardAuthLayer::new(gate, OriginalRequest::x_forwarded())?;
/// let checker = checker.layer(service_fn(|_: Request<()>| async {
///     Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())) // with the caller's identity
/// }));
///
/// let mut question = Request::get("/check")
///     .header("x-forwarded-method", "POST")
///     .header("x-forwarded-uri", "/v1/users")
///     .header("x-forwarded-proto", "https")
///     .header("x-forwarded-for", "203.0.113.9")
///     .body(())?;
/// let direct = checker.clone().oneshot(question.clone()).await?;
/// assert_eq!(direct.status(), 403); // the peer is no proxy
///
/// question.extensions_mut().insert(Connection::plain("10.0.0.1:4711".parse()?));
/// assert_eq!(checker.oneshot(question).await?.status(), 401); // there is no key
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct ForwardAuthLayer {
    gate: ApiKeyLayer,
    original: Arc<OriginalRequest>,
}

impl ForwardAuthLayer {
    /// Puts a gate in front of the answers to proxies that state the original request in this way.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for a gate with rules that forward auth cannot keep, because the gate sees neither the body of
    /// the request nor the response: limits of simultaneous requests, time budgets, refunds, metered routes,
    /// preflights, gRPC services, refusals with a status of success, keys in the query or among WebSocket protocols. And
    /// for a gate that trusts no proxy, or whose proxies do not
    /// [always proxy](crate::request::TrustedProxies::always_proxies).
    pub fn new(gate: ApiKeyLayer, original: OriginalRequest) -> Result<Self, ConfigError> {
        original.check()?;
        gate.shared().policy.check_forward_auth()?;
        let refused = |part, problem| Err(ConfigError::ForwardAuth { part, problem });
        if gate.shared().renderer.may_succeed() {
            return refused(
                "the profile's field `answers`",
                "a proxy takes a refusal with a status of success for access: leave `insecure_success` out",
            );
        }
        if gate.shared().websocket_protocol.is_some() {
            return refused(
                "`select_websocket_protocol`",
                "the gate does not see the answer to a handshake: let the upstream server select the protocol",
            );
        }
        Ok(Self { gate, original: Arc::new(original) })
    }
}

impl<S> Layer<S> for ForwardAuthLayer {
    type Service = ForwardAuthGate<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ForwardAuthGate { original: Arc::clone(&self.original), gate: self.gate.layer(inner) }
    }
}

/// A service that answers a proxy's questions about requests. [`ForwardAuthLayer`] makes it.
#[derive(Debug, Clone)]
pub struct ForwardAuthGate<S> {
    gate: ApiKeyGate<S>,
    original: Arc<OriginalRequest>,
}

impl<S> ForwardAuthGate<S> {
    fn restore<B>(&self, question: &mut Request<B>) -> Result<(), OriginalRequestError> {
        if !self.gate.shared().policy.proxies().trusts(connection(question)) {
            return Err(OriginalRequestError::Untrusted);
        }
        self.original.restore(question)
    }
}

impl<S, B, R> Service<Request<B>> for ForwardAuthGate<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    B: 'static,
    R: Body,
    R::Data: From<Bytes>,
{
    type Response = Response<GateBody<R>>;
    type Error = S::Error;
    type Future = ForwardAuthFuture<S, B>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.gate.poll_ready(context)
    }

    fn call(&mut self, mut question: Request<B>) -> Self::Future {
        let state = match self.restore(&mut question) {
            Ok(()) => ForwardAuthState::Judging { future: self.gate.call(question) },
            Err(error) => {
                // Dropping the ready instance gives back what it reserved in `poll_ready`.
                let clone = self.gate.clone();
                self.gate = clone;
                ForwardAuthState::Unstated { error: Some(error) }
            }
        };
        ForwardAuthFuture { state }
    }
}

pin_project! {
    /// The future of a [`ForwardAuthGate`]. Resolves to the inner service's response, to the gate's refusal, or to the
    /// layer's own answer.
    #[must_use = "futures do nothing unless polled"]
    pub struct ForwardAuthFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: ForwardAuthState<S, B>,
    }
}

pin_project! {
    #[project = ForwardAuthProjection]
    enum ForwardAuthState<S, B>
    where
        S: Service<Request<B>>,
    {
        Judging { #[pin] future: ResponseFuture<S, B> },
        Unstated { error: Option<OriginalRequestError> },
    }
}

impl<S, B, R> Future for ForwardAuthFuture<S, B>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Body,
    R::Data: From<Bytes>,
{
    type Output = Result<Response<GateBody<R>>, S::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            ForwardAuthProjection::Judging { future } => Poll::Ready(ready!(future.poll(context))),
            ForwardAuthProjection::Unstated { error } => match error.take() {
                Some(error) => Poll::Ready(Ok(unstated(error).map(GateBody::refusal))),
                None => Poll::Pending,
            },
        }
    }
}

/// Renders the layer's own answer, which is for the operator.
fn unstated(error: OriginalRequestError) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(format!("{error}\n")));
    *response.status_mut() = error.status();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.extensions_mut().insert(error);
    response
}
