//! Configuring a layer; every contradiction is found here, and not by a request.

use std::sync::Arc;

use http_body::Body;

use super::layer::{ApiKeyLayer, Limits, Shared};
use super::observer::{Deaf, Observer};
use super::preflight::{HasContent, Preflight, has_content};
use crate::clock::{Clock, SystemClock};
use crate::decision::Policy;
use crate::error::ConfigError;
use crate::key::{Audience, Environment, KeyHasher};
use crate::limits::{
    Alarms, FailedAttempts, FallbackLimiter, MemoryPlaces, OnLimiterFailure, Places, Plans,
    RefusedRequests,
};
use crate::profile::Profile;
use crate::request::TrustedProxies;
use crate::response::Renderer;
use crate::rules::{RouteTable, Routes};
use crate::store::KeyStore;

/// Collects the configuration of an [`ApiKeyLayer`]. What is not set has its safest value: HTTPS
/// from the connection's own acceptor, no trusted proxy, no request without a key.
///
/// ```
/// use tower_api_key::{ApiKeyLayer, ConfigError, store::MemoryStore, vendors};
///
/// let builder = ApiKeyLayer::builder(vendors::PERSONA, MemoryStore::new());
/// let refused = builder.without_limits().environment("").build();
/// assert!(matches!(refused, Err(ConfigError::Name(_))), "found before any request came");
/// ```
#[must_use = "a builder does nothing until it is built"]
#[allow(clippy::struct_excessive_bools)] // Each is a switch of its own.
pub struct ApiKeyLayerBuilder {
    name: Box<str>,
    // What the profile describes, owned, or what is wrong with it.
    policy: Result<Policy, ConfigError>,
    renderer: Result<Renderer, ConfigError>,
    store: Arc<dyn KeyStore>,
    pub(super) limits: Limits,
    pub(super) plans: Option<Plans>,
    pub(super) attempts: Option<FailedAttempts>,
    pub(super) refusals: Option<RefusedRequests>,
    pub(super) places: Arc<dyn Places>,
    pub(super) on_places_failure: OnLimiterFailure,
    clock: Arc<dyn Clock>,
    observer: Option<Arc<dyn Observer>>,
    hasher: KeyHasher,
    proxies: TrustedProxies,
    routes: Option<Routes>,
    environment: Option<String>,
    audience: Option<String>,
    assume_https: bool,
    optional: bool,
    preflight: bool,
    answered_preflight: Option<Preflight>,
    bodies: Vec<HasContent>,
    strip_credential: bool,
    leave_grant: bool,
}

impl ApiKeyLayerBuilder {
    pub(super) fn new(profile: &Profile<'_>, store: Arc<dyn KeyStore>) -> Self {
        Self {
            name: profile.name.into(),
            policy: Policy::new(profile),
            renderer: Renderer::new(profile),
            store,
            limits: Limits::Unset,
            plans: None,
            attempts: None,
            refusals: None,
            places: Arc::new(MemoryPlaces::new()),
            // In memory nothing fails.
            on_places_failure: OnLimiterFailure::Deny,
            clock: Arc::new(SystemClock),
            observer: None,
            hasher: KeyHasher::sha256(),
            proxies: TrustedProxies::default(),
            routes: None,
            environment: None,
            audience: None,
            assume_https: false,
            optional: false,
            preflight: false,
            answered_preflight: None,
            bodies: vec![
                #[cfg(feature = "axum")]
                has_content::<axum::body::Body>,
            ],
            strip_credential: false,
            leave_grant: true,
        }
    }

    /// Sets the table of routes. Without one, any living key may do anything; with one, what no
    /// line covers is refused.
    pub fn routes(mut self, routes: Routes) -> Self {
        self.routes = Some(routes);
        self
    }

    /// Believes these proxies on HTTPS and on the client's address; nobody unless set.
    ///
    /// ```
    /// # use tower_api_key::{ApiKeyLayer, clock::Timestamp, store::MemoryStore, vendors};
    /// # use tower_api_key::decision::{Check, Outcome};
    /// # use tower_api_key::key::Networks;
    /// use tower_api_key::request::{Connection, ProxyHeaders, TrustedProxies};
    ///
    /// let proxies = TrustedProxies::new(Networks::parse(["10.0.0.0/8"])?, ProxyHeaders::Forwarded);
    /// # let builder = ApiKeyLayer::builder(vendors::POLYTEIA, MemoryStore::new());
    /// let layer = builder.trusted_proxies(proxies).build()?;
    ///
    /// let request = http::Request::get("/").header("forwarded", "proto=https").body(())?;
    /// let proxy = Connection::plain("10.0.0.1:4711".parse()?);
    /// let explanation = layer.explain(&request, proxy, None, Timestamp::default());
    /// assert_eq!(explanation.outcome(Check::Transport), &Outcome::Passed);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.proxies = proxies;
        self
    }

    /// Takes every request for one over HTTPS, without proof. Only for a service that nothing but a
    /// TLS-terminating proxy can reach; prefer [`trusted_proxies`](Self::trusted_proxies).
    pub fn assume_https(mut self) -> Self {
        self.assume_https = true;
        self
    }

    /// Serves keys of this environment only; one of another is answered like an unknown key. Where a key's
    /// text names another, the store is not asked for it.
    ///
    /// On every gate, pinned or not, a text that names an environment has to agree with its record.
    ///
    /// ```
    /// # use tower_api_key::clock::Timestamp;
    /// # use tower_api_key::decision::{Check, Outcome};
    /// # use tower_api_key::key::{Account, KeyRecord};
    /// # use tower_api_key::request::Connection;
    /// # use tower_api_key::{ApiKeyLayer, Denial, store::MemoryStore, vendors};
    /// # let builder = ApiKeyLayer::builder(vendors::PERSONA, MemoryStore::new()).without_limits();
    /// let layer = builder.environment("production").build()?;
    /// # let acme = Account::builder("acme").build()?.into();
    /// let record = KeyRecord::builder("key_1", acme).environment("sandbox").build()?.into();
    /// # let bearer = "Bearer persona_sandbox_0123456789abcdef";
    /// # let request = http::Request::get("/").header("authorization", bearer).body(())?;
    /// # let at = Timestamp::default();
    /// # let explanation = layer.explain(&request, Connection::unknown(), Some(&record), at);
    /// let refused = Outcome::Refused(Denial::EnvironmentMismatch);
    /// assert_eq!(explanation.outcome(Check::Environment), &refused);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn environment(mut self, environment: impl Into<String>) -> Self {
        self.environment = Some(environment.into());
        self
    }

    /// Serves keys of this [audience](crate::key::KeyRecordBuilder::audience) only. Any other key is as
    /// unknown to the gate as one that nobody has: one of another audience, and one of none. A gate
    /// without an audience serves only keys without one.
    ///
    /// Gates that share a store serve each other's keys unless each has an audience of its own.
    ///
    /// ```
    /// # use http::Request;
    /// # use tower_api_key::clock::Timestamp;
    /// # use tower_api_key::key::{Account, KeyRecord};
    /// # use tower_api_key::request::Connection;
    /// # use tower_api_key::{ApiKeyLayer, Denial, store::MemoryStore, vendors};
    /// let store = MemoryStore::new();
    /// let gate = |audience: &str| {
    ///     let builder = ApiKeyLayer::builder(vendors::POLYTOMIC, store.clone());
    ///     builder.assume_https().audience(audience).build()
    /// };
    /// # let acme = Account::builder("acme").build()?.into();
    /// let record = KeyRecord::builder("key_1", acme).audience("billing").kind("partner").build()?;
    /// # let record = record.into();
    /// # let request = Request::get("/").header("x-polytomic-version", "2025-09-18");
    /// # let bearer = "Bearer pk_live_4f8a9b2c7d3e4f1a9b0c2d3e4f5a6b7c";
    /// # let request = request.header("authorization", bearer).body(())?;
    /// # let decide = |gate: ApiKeyLayer| {
    /// #     let (unknown, now) = (Connection::unknown(), Timestamp::default());
    /// #     let explanation = gate.explain(&request, unknown, Some(&record), now);
    /// #     explanation.decision().map(|_| ()).map_err(Denial::clone)
    /// # };
    /// assert_eq!(decide(gate("billing")?), Ok(()));
    /// assert_eq!(decide(gate("reports")?), Err(Denial::KeyUnknown));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// Sets how keys are digested: SHA-256, unless set to HMAC-SHA-256 with a pepper.
    ///
    /// ```
    /// # use tower_api_key::{ApiKeyLayer, store::MemoryStore, vendors};
    /// use tower_api_key::key::{Issuer, KeyFormat, KeyHasher, Pepper};
    ///
    /// let hasher = KeyHasher::with_pepper(&Pepper::new(*b"32 bytes of the random generator")?);
    /// let issuer = Issuer::new(KeyFormat::hex(40), hasher.clone()); // both need the same one
    /// # let builder = ApiKeyLayer::builder(vendors::PERSONYZE, MemoryStore::new());
    /// let layer = builder.hasher(hasher).build()?;
    /// # assert!(issuer.issue(None).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn hasher(mut self, hasher: KeyHasher) -> Self {
        self.hasher = hasher;
        self
    }

    /// Reads the time from another clock than the system's; a test that needs one finds an example
    /// at [`ManualClock`](crate::clock::ManualClock).
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Tells an observer of refusals, exposed keys, and failures; [`Observer`] has an example.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

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
        self.optional = true;
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
        self.preflight = true;
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
        self.bodies.push(has_content::<B>);
        self
    }

    /// Answers CORS preflights without a credential in the gate; the inner service never sees them.
    /// [`Preflight`] has an example. Comes before [`allow_preflight`](Self::allow_preflight).
    pub fn answer_preflight(mut self, preflight: Preflight) -> Self {
        self.answered_preflight = Some(preflight);
        self
    }

    /// Removes the credential from the request before the inner service sees it: for gateways,
    /// whose backends have no business with their clients' keys.
    ///
    /// ```
    /// # use bytes::Bytes;
    /// # use http::{Request, Response};
    /// # use http_body_util::Full;
    /// # use tower::{Layer, ServiceExt, service_fn};
    /// # use tower_api_key::key::{Account, KeyHasher, KeyRecord};
    /// # use tower_api_key::{ApiKeyLayer, store::MemoryStore, vendors};
    /// use tower_api_key::Grant;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let store = MemoryStore::new();
    /// # let record = KeyRecord::builder("key_1", Account::builder("acme").build()?.into()).build()?;
    /// # store.insert(KeyHasher::sha256().digest(b"0123456789abcdef"), record);
    /// # let builder = ApiKeyLayer::builder(vendors::REST_INTEGRATIONS, store).without_limits();
    /// # let builder = builder.assume_https();
    /// let layer = builder.strip_credential().without_grant().build()?;
    /// let service = layer.layer(service_fn(|request: Request<()>| async move {
    ///     assert!(!request.headers().contains_key("authorization"));
    ///     assert!(request.extensions().get::<Grant>().is_none());
    /// #     Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::default()))
    /// }));
    /// # let request = Request::get("/").header("authorization", "Bearer 0123456789abcdef").body(())?;
    /// assert_eq!(service.oneshot(request).await?.status(), 200);
    /// # Ok(())
    /// # }
    /// ```
    pub fn strip_credential(mut self) -> Self {
        self.strip_credential = true;
        self
    }

    /// Leaves no [`Grant`](crate::Grant) in the request's extensions, which spares an allocation
    /// where no service behind the gate asks who its caller is. There is an example at
    /// [`strip_credential`](Self::strip_credential).
    pub fn without_grant(mut self) -> Self {
        self.leave_grant = false;
        self
    }

    /// Builds the layer.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the profile, the routes and the rest cannot be served as they were meant.
    pub fn build(self) -> Result<ApiKeyLayer, ConfigError> {
        let mut policy = self.policy?;
        policy.plans = self.plans;
        policy.hasher = self.hasher;
        self.proxies.check()?;
        policy.proxies = self.proxies;
        policy.assume_https = self.assume_https;
        policy.optional = self.optional;
        policy.is_counted = matches!(self.limits, Limits::Counted(..));
        policy.preflight = self.preflight || self.answered_preflight.is_some();
        policy.limits_failures = self.attempts.is_some();
        policy.environment = self.environment.map(Environment::new).transpose()?;
        policy.audience = self.audience.map(Audience::new).transpose()?;
        policy.routes = self.routes.map(RouteTable::new).transpose()?;
        if policy.has_quotas() && matches!(self.limits, Limits::Unset) {
            return Err(ConfigError::LimiterMissing);
        }
        policy.check(matches!(self.limits, Limits::Counted(..)))?;
        if policy.is_metered() && !self.leave_grant {
            return Err(ConfigError::MeteredWithoutGrant);
        }
        let read = policy.credentials.header_names().cloned();
        let read = read.chain(policy.demanded_headers().cloned());
        let preflight = self.answered_preflight.map(|preflight| preflight.prepare(read));
        let preflight = preflight.transpose()?;
        let renderer = self.renderer?;
        Ok(ApiKeyLayer::new(Shared {
            preflight,
            bodies: self.bodies,
            renderer: if self.optional { renderer.let_strangers_in() } else { renderer },
            policy,
            store: self.store,
            limits: self.limits,
            clock: self.clock,
            observed: self.observer.is_some(),
            alarms: self.observer.as_ref().map(|_| Alarms::new(self.attempts.as_ref())),
            observer: self.observer.unwrap_or_else(|| Arc::new(Deaf)),
            refusals: self.refusals.map(RefusedRequests::build).transpose()?,
            attempts: self.attempts.map(FailedAttempts::build).transpose()?,
            fallback: FallbackLimiter::default(),
            places: self.places,
            on_places_failure: self.on_places_failure,
            local_places: MemoryPlaces::new(),
            strip_credential: self.strip_credential,
            leave_grant: self.leave_grant,
            name: self.name,
        }))
    }
}
