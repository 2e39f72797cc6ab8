//! Builder methods for requests without a key.

use http_body::Body;

use super::ApiKeyLayerBuilder;
use crate::limits::AnonymousQuotas;
use crate::service::preflight::{Preflight, has_content};

impl ApiKeyLayerBuilder {
    /// Admits anonymous requests, which have no credential at all, without a grant.
    ///
    /// An anonymous request passes if its route needs no scope, kind or account, and takes nothing that is
    /// counted for a key. The gate still refuses a bad credential, and still requires HTTPS.
    ///
    /// With a [limiter](Self::limits) any request with a key may be counted, because an account or a key
    /// can have quotas of its own. Then anonymous requests reach only routes of
    /// [cost](crate::rules::Route::cost) 0, and nothing if there is no route table. Otherwise a client could
    /// evade a limit by leaving its key out. [`anonymous_quotas`](Self::anonymous_quotas) open more routes.
    ///
    /// Every response, refusals included, names in `Vary` the headers that may carry a credential. So a
    /// shared cache keeps answers to anonymous requests apart from answers to keys.
    ///
    /// ```
    /// use http::Request;
    /// use tower_api_key::clock::Timestamp;
    /// use tower_api_key::request::Connection;
    /// use tower_api_key::rules::{Route, Routes};
    /// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
    ///
    /// let routes = Routes::new()
    ///     .get("/status", Route::new())
    ///     .get("/users", Route::new().all_of(&["users.read"]));
    /// let builder = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new()).routes(routes);
    /// let layer = builder.optional().build()?;
    ///
    /// let connection = Connection::tls("192.0.2.1:4711".parse()?);
    /// for (path, passes) in [("/status", true), ("/users", false)] {
    ///     let request = Request::get(path).body(())?;
    ///     let explanation = layer.explain(&request, connection, None, Timestamp::default());
    ///     assert_eq!(explanation.decision().is_ok(), passes);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn optional(mut self) -> Self {
        self.policy.optional = true;
        self
    }

    /// Counts anonymous requests in these quotas, by the client's network, and opens routes to them that cost
    /// something. Needs [`optional`](Self::optional) and [`limits`](Self::limits).
    ///
    /// [`AnonymousQuotas`] has an example, and lists the routes. The [`OnLimiterFailure`] of each quota, or that of
    /// the gate, decides while the limiter cannot answer.
    ///
    /// [`OnLimiterFailure`]: crate::quota::OnLimiterFailure
    pub fn anonymous_quotas(mut self, quotas: AnonymousQuotas) -> Self {
        self.policy.anonymous_quotas = Some(quotas);
        self
    }

    /// Admits CORS preflights without a credential: `OPTIONS` with one `Origin`, one
    /// `Access-Control-Request-Method`, and no content or upgrade. A preflight passes without a grant, and
    /// without regard to routes, scopes and limits, to the service behind the gate that answers `OPTIONS`.
    ///
    /// Do not call this method if a CORS layer outside of the gate answers preflights. With
    /// [`answer_preflight`](Self::answer_preflight) the gate answers them and passes none on.
    ///
    /// Anyone can send a preflight to every path. So preflights reach every handler that serves all methods:
    /// axum's `any()`, a fallback, a gateway that forwards everything. Such a handler must do nothing on
    /// `OPTIONS`.
    ///
    /// Over HTTP/2 and HTTP/3 a request with a body need not have `Content-Length`. Then only the type of the
    /// body shows whether it has content. The gate looks at axum's type with the feature `axum`, and at the
    /// types named by [`preflight_body`](Self::preflight_body). A handler must not read a body of another
    /// type. [`explain`](crate::ApiKeyLayer::explain) looks at no body.
    ///
    /// ```
    /// use http::Request;
    /// use tower_api_key::clock::Timestamp;
    /// use tower_api_key::{ApiKeyLayer, Profile, request::Connection, store::MemoryStore};
    ///
    /// let builder = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new());
    /// let layer = builder.allow_preflight().build()?;
    ///
    /// let preflight = Request::options("/api")
    ///     .header("origin", "https://app.example.com")
    ///     .header("access-control-request-method", "POST")
    ///     .body(())?;
    /// let connection = Connection::tls("192.0.2.1:4711".parse()?);
    /// let explanation = layer.explain(&preflight, connection, None, Timestamp::default());
    /// assert!(explanation.decision().is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn allow_preflight(mut self) -> Self {
        self.policy.preflight = true;
        self
    }

    /// Names a type of request bodies to look at before a preflight is
    /// [admitted](Self::allow_preflight). A request whose body has not ended does not count as a preflight.
    /// Name the type that your server hands to the gate. With the feature `axum` the gate knows axum's.
    ///
    /// ```
    /// use hyper::body::Incoming;
    /// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
    ///
    /// let layer = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new())
    ///     .allow_preflight()
    ///     .preflight_body::<Incoming>() // the bodies of a hyper server
    ///     .build()?;
    /// # Ok::<(), tower_api_key::ConfigError>(())
    /// ```
    pub fn preflight_body<B: Body + 'static>(mut self) -> Self {
        self.options.bodies.push(has_content::<B>);
        self
    }

    /// Answers CORS preflights without a credential in the gate. The inner service never sees them.
    /// [`Preflight`] has an example. Takes precedence over [`allow_preflight`](Self::allow_preflight).
    pub fn answer_preflight(mut self, preflight: Preflight) -> Self {
        self.policy.preflight = true;
        self.preflight = Some(preflight);
        self
    }
}
