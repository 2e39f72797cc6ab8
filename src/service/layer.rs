//! The layer that puts gates in front of services.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response};
use tower_layer::Layer;

use super::builder::ApiKeyLayerBuilder;
use super::gate::ApiKeyGate;
use super::shared::Shared;
use crate::clock::Timestamp;
use crate::decision::Explanation;
use crate::error::Denial;
use crate::key::KeyRecord;
use crate::limits::LimiterFailures;
use crate::profile::Profile;
use crate::quota::AppliedQuotas;
use crate::request::Connection;
use crate::response::Authenticated;
use crate::store::KeyStore;

/// Puts a gate in front of a service: only requests with a key that serves get through, and every
/// other is answered as the profile's vendor documents it.
///
/// Cloning is cheap, and all clones share limits and simultaneous requests.
///
/// The inner service is called only when the request is admitted, with the [`Grant`](crate::Grant) in its
/// extensions, and with the credential marked sensitive or removed. The server must say how each connection
/// came: put a [`Connection`] into the extensions of its requests, with
/// [`MarkConnection`](crate::MarkConnection) or by hand. Without one, every request counts as plain HTTP from
/// an unknown address.
///
/// A request that waits for the store or for a place holds the ready instance of the inner service. Limit
/// the inner service's own concurrency outside the gate, not inside, or one account's queue takes the places
/// of all. An upgraded connection (101) gives its place back with the response.
///
/// ```
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
/// let acme = Account::builder("acme").build()?;
/// let record = KeyRecord::builder("key_1", acme).build()?;
/// store.add_now(KeyHasher::sha256().digest(b"FD09908F25BECB09D78EBEA1DADFB618651F612D"), record);
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
    /// let account = Account::builder("acme").build()?;
    /// let record = KeyRecord::builder("key_1", account).expires(now).build()?;
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
        record: Option<&KeyRecord>,
        now: Timestamp,
    ) -> Explanation {
        let policy = &self.shared.policy;
        let mut explanation = Explanation::new(policy, request, connection, record, now);
        if let Err(denial) = explanation.decision() {
            let principal = record.filter(|_| explanation.is_of_principal());
            let quotas = AppliedQuotas::default();
            let trail =
                principal.map(|record| Authenticated { record, quotas, verdict: None, now });
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
