//! The layer, and what all its gates share.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response};
use tower_layer::Layer;

use super::builder::ApiKeyLayerBuilder;
use super::gate::ApiKeyGate;
use super::observer::Observer;
use super::preflight::{HasContent, PreparedPreflight};
use crate::clock::{Clock, Timestamp};
use crate::decision::{Explanation, Policy};
use crate::denial::Denial;
use crate::key::KeyRecord;
use crate::limits::{
    Alarms, Applicable, AttemptLimiter, EventLimiter, FallbackLimiter, Limiter, LimiterFailures,
    MemoryPlaces, OnLimiterFailure, Places,
};
use crate::profile::Profile;
use crate::request::Connection;
use crate::response::{Renderer, Trail};
use crate::store::KeyStore;

/// Puts a gate in front of a service: only requests with a key that serves get through, and every
/// other is answered as the profile's vendor documents it.
///
/// Cloning is cheap, and all clones share limits and simultaneous requests.
///
/// ```
/// use std::sync::Arc;
/// use http::{Request, Response, StatusCode};
/// use http_body_util::Full;
/// use bytes::Bytes;
/// use tower::{Layer, ServiceExt, service_fn};
/// use tower_api_key::key::{Account, KeyHasher, KeyRecord};
/// use tower_api_key::request::Connection;
/// use tower_api_key::store::MemoryStore;
/// use tower_api_key::{ApiKeyLayer, Grant, vendors};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = MemoryStore::new();
/// let acme = Arc::new(Account::builder("acme").build()?);
/// let record = KeyRecord::builder("key_1", acme).build()?;
/// store.insert(KeyHasher::sha256().digest(b"FD09908F25BECB09D78EBEA1DADFB618651F612D"), record);
///
/// let layer = ApiKeyLayer::builder(vendors::PERSONYZE, store).build()?;
/// let service = layer.layer(service_fn(|request: Request<()>| async move {
///     let grant = request.extensions().get::<Grant>().expect("the gate leaves a grant");
///     let text = format!("hello {}", grant.account());
///     Ok::<_, std::convert::Infallible>(Response::new(Full::new(Bytes::from(text))))
/// }));
///
/// let mut request = Request::new(());
/// request.extensions_mut().insert(Connection::tls("192.0.2.1:4711".parse()?));
/// let refused = service.clone().oneshot(request.clone()).await?;
/// assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
///
/// let basic = "Basic YXBpOkZEMDk5MDhGMjVCRUNCMDlENzhFQkVBMURBREZCNjE4NjUxRjYxMkQ=";
/// request.headers_mut().insert("authorization", basic.parse()?);
/// assert_eq!(service.oneshot(request).await?.status(), StatusCode::OK);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ApiKeyLayer {
    shared: Arc<Shared>,
}

/// What all gates of a layer share.
pub(super) struct Shared {
    pub(super) policy: Policy,
    pub(super) renderer: Renderer,
    pub(super) store: Arc<dyn KeyStore>,
    pub(super) limits: Limits,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) observer: Arc<dyn Observer>,
    /// Stands in for a limiter that cannot answer.
    pub(super) fallback: FallbackLimiter,
    pub(super) attempts: Option<AttemptLimiter>,
    /// Counts requests of a key that the rules refuse.
    pub(super) refusals: Option<EventLimiter>,
    /// Whether the observer is one that somebody gave.
    pub(super) observed: bool,
    /// Bounds what the observer is alarmed of, if there is one.
    pub(super) alarms: Option<Alarms>,
    pub(super) places: Arc<dyn Places>,
    pub(super) on_places_failure: OnLimiterFailure,
    /// Stand in for places that cannot be asked for.
    pub(super) local_places: MemoryPlaces,
    /// What the gate answers to preflights; they are passed on where they are let through without it.
    pub(super) preflight: Option<PreparedPreflight>,
    /// How a request's body shows that there is content, for each type of body that is known.
    pub(super) bodies: Vec<HasContent>,
    pub(super) strip_credential: bool,
    pub(super) leave_grant: bool,
    pub(super) name: Box<str>,
}

/// Keeps what all gates share, for one request.
///
/// Servers that clone the gate for every request (axum, hyper-util) hold it directly. A gate that is
/// called again and again, by a connection of its own, counts its requests apart: were they counted
/// with those of all other connections, threads would pass that count to and fro, and two of them
/// would serve no more than one.
pub(super) enum Hold {
    Direct(Arc<Shared>),
    Apart(Arc<Apart>),
}

/// What all gates share, under a count of one gate's own.
pub(super) struct Apart(Arc<Shared>);

impl Apart {
    pub(super) fn new(shared: &Arc<Shared>) -> Arc<Self> {
        Arc::new(Self(Arc::clone(shared)))
    }
}

impl Deref for Hold {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        match self {
            Self::Direct(shared) => shared,
            Self::Apart(apart) => &apart.0,
        }
    }
}

/// How requests are counted.
pub(super) enum Limits {
    /// Nobody has said; a quota that turns up at run time refuses, since it cannot be kept.
    Unset,
    /// Not at all, as somebody has said.
    Off,
    /// By a limiter.
    Counted(Arc<dyn Limiter>, OnLimiterFailure),
}

impl ApiKeyLayer {
    /// Starts a layer for a vendor's profile and a store of keys. The profile may borrow from anywhere: what
    /// the layer needs of it is copied here.
    pub fn builder(profile: Profile<'_>, store: impl KeyStore) -> ApiKeyLayerBuilder {
        ApiKeyLayerBuilder::new(&profile, Arc::new(store))
    }

    pub(super) fn new(shared: Shared) -> Self {
        Self { shared: Arc::new(shared) }
    }

    /// Explains what this layer decides of a request and what it answers, check by check, if the
    /// store were to answer with `record`. Asks no store, limiter or clock, so rules are tested
    /// without a server and without a runtime.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use http::Request;
    /// use tower_api_key::clock::Timestamp;
    /// use tower_api_key::key::{Account, KeyRecord};
    /// use tower_api_key::request::Connection;
    /// use tower_api_key::store::MemoryStore;
    /// use tower_api_key::{ApiKeyLayer, Denial, vendors};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let layer = ApiKeyLayer::builder(vendors::POLYTEIA, MemoryStore::new()).build()?;
    /// let now = Timestamp::from_unix_seconds(1_800_000_000);
    /// let account = Arc::new(Account::builder("acme").build()?);
    /// let record = Arc::new(KeyRecord::builder("key_1", account).expires(now).build()?);
    /// let request = Request::post("/api")
    ///     .header("authorization", "Bearer 0123456789abcdef")
    ///     .header("content-type", "application/json")
    ///     .body(())?;
    ///
    /// let connection = Connection::tls("192.0.2.1:4711".parse()?);
    /// let explanation = layer.explain(&request, connection, Some(&record), now);
    /// assert_eq!(explanation.decision().unwrap_err(), &Denial::KeyExpired);
    /// assert_eq!(explanation.answer().unwrap().status(), 401);
    /// # Ok(())
    /// # }
    /// ```
    pub fn explain<B>(
        &self,
        request: &Request<B>,
        connection: Connection,
        record: Option<&Arc<KeyRecord>>,
        now: Timestamp,
    ) -> Explanation {
        let policy = &self.shared.policy;
        let mut explanation = Explanation::new(policy, request, connection, record, now);
        if let Err(denial) = explanation.decision() {
            let principal = record.filter(|_| explanation.is_of_principal());
            let quotas = Applicable::default();
            let trail = principal.map(|record| Trail { record, quotas, verdict: None, now });
            let head = request.method() == Method::HEAD;
            explanation.answer = Some(self.shared.renderer.refuse(denial, head, trail));
        }
        explanation
    }

    /// Renders what a client is answered for a denial, apart from the limit headers and others that
    /// speak of the key's account.
    ///
    /// ```
    /// # use tower_api_key::{ApiKeyLayer, store::MemoryStore, vendors};
    /// use tower_api_key::Denial;
    ///
    /// let layer = ApiKeyLayer::builder(vendors::PERSONYZE, MemoryStore::new()).build()?;
    /// assert_eq!(layer.answer(&Denial::KeyUnknown).body(), "Invalid API key");
    /// # Ok::<(), tower_api_key::ConfigError>(())
    /// ```
    pub fn answer(&self, denial: &Denial) -> Response<Bytes> {
        self.shared.renderer.refuse(denial, false, None)
    }

    /// Returns how often the limiter could not answer so far, by what was done instead.
    pub fn limiter_failures(&self) -> LimiterFailures {
        self.shared.fallback.failures()
    }
}

impl<S> Layer<S> for ApiKeyLayer {
    type Service = ApiKeyGate<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ApiKeyGate::new(Arc::clone(&self.shared), inner)
    }
}

impl fmt::Debug for ApiKeyLayer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ApiKeyLayer")
            .field("profile", &self.shared.name)
            .finish_non_exhaustive()
    }
}
