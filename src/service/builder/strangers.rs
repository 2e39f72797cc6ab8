//! Configuring which requests pass without a key.

use http_body::Body;

use super::ApiKeyLayerBuilder;
use crate::service::preflight::{Preflight, has_content};

impl ApiKeyLayerBuilder {
    /// Lets requests without any credential pass, without a grant, where the route needs no scope,
    /// kind or account, and takes nothing that is counted for a key. A bad credential is refused all
    /// the same, and HTTPS is still required.
    ///
    /// With a [limiter](Self::limits) every keyed request may be counted, for an account or a key can
    /// have quotas of its own. So strangers reach only routes of [cost](crate::rules::Route::cost) 0
    /// then, and none if there is no route table: leaving the key out would lift the limit.
    /// Every response, refusals too, names in `Vary` the headers that may carry a credential, so that a shared
    /// cache keeps answers to strangers and to keys apart.
    ///
    /// ```
    /// # use http::Request;
    /// # use tower_api_key::{ApiKeyLayer, clock::Timestamp, request::Connection};
    /// # use tower_api_key::{store::MemoryStore, vendors};
    /// use tower_api_key::rules::{Route, Routes};
    ///
    /// let routes = Routes::new()
    ///     .on(&[], "/status", Route::new())
    ///     .on(&[], "/users", Route::new().all_of(&["users.read"]));
    /// # let builder = ApiKeyLayer::builder(vendors::POLYTEIA, MemoryStore::new()).assume_https();
    /// let layer = builder.routes(routes).optional().build()?;
    /// # let passes = |path: &str| {
    /// #     let request = Request::get(path).body(()).unwrap();
    /// #     let unknown = Connection::unknown();
    /// #     layer.explain(&request, unknown, None, Timestamp::default()).decision().is_ok()
    /// # };
    /// assert!(passes("/status"));
    /// assert!(!passes("/users"));
    /// # Ok::<(), tower_api_key::ConfigError>(())
    /// ```
    pub fn optional(mut self) -> Self {
        self.policy.optional = true;
        self
    }

    /// Lets CORS preflights (`OPTIONS` with one `Origin`, one `Access-Control-Request-Method` and no
    /// content or upgrade) without a credential pass, without a grant, to whatever answers `OPTIONS` behind,
    /// past routes, scopes and limits. Unneeded where a CORS layer outside the gate answers them; and
    /// [`answer_preflight`](Self::answer_preflight) lets nothing through.
    ///
    /// A stranger can send such a request to every path, so a handler of every method runs for it: axum's
    /// `any()`, a fallback, a gateway that passes all on. Such a handler must do nothing on `OPTIONS`.
    ///
    /// Over HTTP/2 and HTTP/3 a body need not be announced by `Content-Length`. Then it shows only in its
    /// type: axum's is looked at with the feature `axum`, and others that
    /// [`preflight_body`](Self::preflight_body) names. Of any other a handler must not read.
    /// [`explain`](crate::ApiKeyLayer::explain) looks at no body.
    ///
    /// ```
    /// # use http::Request;
    /// # use tower_api_key::{ApiKeyLayer, clock::Timestamp, request::Connection};
    /// # use tower_api_key::{store::MemoryStore, vendors};
    /// # let builder = ApiKeyLayer::builder(vendors::POLYTEIA, MemoryStore::new()).assume_https();
    /// let layer = builder.allow_preflight().build()?;
    /// let preflight = Request::options("/api")
    ///     .header("origin", "https://app.example.com")
    ///     .header("access-control-request-method", "POST")
    ///     .body(())?;
    /// # let at = Timestamp::default();
    /// let explanation = layer.explain(&preflight, Connection::unknown(), None, at);
    /// assert!(explanation.decision().is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn allow_preflight(mut self) -> Self {
        self.policy.preflight = true;
        self
    }

    /// Looks at request bodies of this type before a preflight is [let through](Self::allow_preflight): one
    /// with a body that has not ended is none. Name the type that your server hands to the gate;
    /// axum's is known with the feature `axum`.
    ///
    /// ```
    /// # use bytes::Bytes;
    /// # use http::{Request, Response};
    /// # use http_body_util::Full;
    /// # use tower::{Layer, ServiceExt, service_fn};
    /// # use tower_api_key::{ApiKeyLayer, store::MemoryStore, vendors};
    /// use hyper::body::Incoming;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let builder = ApiKeyLayer::builder(vendors::POLYTEIA, MemoryStore::new()).assume_https();
    /// let layer = builder.allow_preflight().preflight_body::<Incoming>();
    /// # let layer = layer.preflight_body::<Full<Bytes>>().build()?;
    /// # let service = layer.layer(service_fn(|_: Request<Full<Bytes>>| async {
    /// #     Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::default()))
    /// # }));
    /// # for (content, status) in [("", 200), ("content", 401)] {
    /// #     let request = Request::options("/api").header("origin", "https://app.example.com");
    /// #     let request = request.header("access-control-request-method", "POST");
    /// #     let request = request.body(Full::from(content))?;
    /// #     assert_eq!(service.clone().oneshot(request).await?.status(), status);
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    pub fn preflight_body<B: Body + 'static>(mut self) -> Self {
        self.options.bodies.push(has_content::<B>);
        self
    }

    /// Answers CORS preflights without a credential in the gate; the inner service never sees them.
    /// [`Preflight`] has an example. Comes before [`allow_preflight`](Self::allow_preflight).
    pub fn answer_preflight(mut self, preflight: Preflight) -> Self {
        self.policy.preflight = true;
        self.preflight = Some(preflight);
        self
    }
}
