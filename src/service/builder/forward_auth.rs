//! The builder method for gates that decide for a proxy.

use super::ApiKeyLayerBuilder;
use crate::request::OriginalRequest;

impl ApiKeyLayerBuilder {
    /// Judges the requests that a proxy asks about, as nginx's `auth_request`, Traefik's `ForwardAuth`, Caddy's
    /// `forward_auth` and Envoy's HTTP `ext_authz` do. [`OriginalRequest`] names where the proxy states them.
    ///
    /// The gate restores the original request, and judges that one. It calls the inner service for an admitted request
    /// only. That service answers the proxy with 200, and with the headers that the proxy copies. A refusal is the
    /// vendor's own. The package `examples/forward_auth` is a program for it, with a configuration for each proxy.
    ///
    /// The gate does not judge a question, and answers it with an
    /// [`OriginalRequestError`](crate::request::OriginalRequestError) in the extensions, if
    ///
    /// * the peer is none of the [trusted proxies](Self::trusted_proxies), so a client that asks directly learns
    ///   nothing;
    /// * the question does not state the original request exactly once.
    ///
    /// [`explain`](crate::ApiKeyLayer::explain) takes the original request.
    ///
    /// No layer outside of the gate may change the method, the path or the headers of the question.
    ///
    /// # Rules that do not build
    ///
    /// The gate sees neither the body of the original request nor the response. So [`build`](Self::build) refuses what
    /// needs them: limits of simultaneous requests, time budgets, refunds, metered routes, preflights, gRPC services,
    /// refusals with a status of success, and keys in the query or among WebSocket protocols. It also refuses
    /// proxies that do not [always proxy](crate::request::TrustedProxies::always_proxies).
    ///
    /// ```
    /// use std::convert::Infallible;
    /// use bytes::Bytes;
    /// use http::{Request, Response};
    /// use http_body_util::Full;
    /// use tower::{Layer, ServiceExt, service_fn};
    /// use tower_api_key::key::Networks;
    /// use tower_api_key::request::{Connection, OriginalRequest, ProxyHeaders, TrustedProxies};
    /// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let proxies = TrustedProxies::new(Networks::new(["10.0.0.1/32"])?, ProxyHeaders::XForwarded);
    /// let gate = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new())
    ///     .trusted_proxies(proxies.always_proxies())
    ///     .forward_auth(OriginalRequest::x_forwarded())
    ///     .build()?;
    /// let checker = gate.layer(service_fn(|_: Request<()>| async {
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
    pub fn forward_auth(mut self, original: OriginalRequest) -> Self {
        self.options.original = Some(original);
        self
    }
}
