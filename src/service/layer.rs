//! The layer, which puts gates in front of services.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use tower_layer::Layer;

use super::builder::ApiKeyLayerBuilder;
use super::gate::ApiKeyGate;
use super::shared::Shared;
use crate::caller::Caller;
use crate::clock::Timestamp;
use crate::decision::Explanation;
use crate::error::Denial;
use crate::key::KeyRecord;
use crate::limits::LimiterFailures;
use crate::profile::Profile;
use crate::quota::AppliedQuotas;
use crate::request::{Connection, Head};
use crate::response::{AnswerForm, Authenticated, RefusalFacts, RequestFacts};
use crate::store::KeyStore;

/// A tower layer that puts a gate in front of a service. The gate admits requests with a valid key, and
/// refuses all others with the answers of a profile.
///
/// Cloning is cheap. All clones share limits and permits.
///
/// The gate calls the inner service only for admitted requests. Such a request has a
/// [`Grant`](crate::Grant) in its extensions, and its credential is marked as sensitive or removed.
///
/// # Deployment
///
/// The server must mark how each request came. Put a [`Connection`] into the request's extensions, with
/// [`MarkConnection`](crate::MarkConnection) or by hand. Without a mark every request counts as plain HTTP
/// from an unknown address. Behind a proxy that ends TLS, call
/// [`trusted_proxies`](ApiKeyLayerBuilder::trusted_proxies), too.
///
/// A request that waits for the store or for a permit holds the ready instance of the inner service. If the
/// inner service limits its own concurrency, put that limit outside of the gate. Inside, the waiting requests
/// of one account could use up the limit for all.
///
/// An upgraded connection, such as a WebSocket, gives its permit back with the response, unless the handler holds it
/// with [`Grant::permit`](crate::Grant::permit). The gate decides about the handshake only: a socket stays open when
/// its key is revoked.
///
/// # Example
///
/// ```
/// use bytes::Bytes;
/// use http::{Request, Response, StatusCode};
/// use http_body_util::Full;
/// use tower::{Layer, ServiceExt, service_fn};
/// use tower_api_key::key::{Account, KeyHasher, KeyRecord};
/// use tower_api_key::request::Connection;
/// use tower_api_key::store::MemoryStore;
/// use tower_api_key::{ApiKeyLayer, Grant, vendors};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = MemoryStore::new();
/// let acme = Account::builder("acme").build()?;
/// let record = KeyRecord::builder("key_1", acme).build()?;
/// store.add_now(KeyHasher::sha256().digest(b"FD09908F25BECB09D78EBEA1DADFB618651F612D"), record);
///
/// let layer = ApiKeyLayer::builder(vendors::PERSONYZE, store).build()?;
/// let service = layer.layer(service_fn(|request: Request<()>| async move {
///     let grant = request.extensions().get::<Grant>().expect("the gate adds a grant");
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
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct ApiKeyLayer {
    pub(super) shared: Arc<Shared>,
}

impl ApiKeyLayer {
    /// Starts the configuration of a layer with a profile and a store of keys. The layer copies what it needs
    /// of the profile, so the profile may borrow from anywhere.
    pub fn builder(profile: Profile<'_>, store: impl KeyStore) -> ApiKeyLayerBuilder {
        ApiKeyLayerBuilder::new(&profile, Arc::new(store))
    }

    pub(super) const fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Explains the decision about a request and its answer, check by check, as if the store had answered
    /// with `record`. Asks no store, limiter or clock, so you can test rules without a server or a runtime.
    ///
    /// The key in the request must fit a format of the profile, checksum included: take one from an
    /// [`Issuer`](crate::key::Issuer), or a vendor's example.
    ///
    /// ```
    /// use http::Request;
    /// use tower_api_key::clock::Timestamp;
    /// use tower_api_key::key::{Account, KeyRecord};
    /// use tower_api_key::request::Connection;
    /// use tower_api_key::store::MemoryStore;
    /// use tower_api_key::{ApiKeyLayer, Denial, vendors};
    ///
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
    /// # Ok::<(), Box<dyn std::error::Error>>(())
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
            let cost = explanation.cost();
            let authenticated = principal.map(Caller::Key).map(|caller| Authenticated {
                caller,
                quotas,
                verdict: None,
                now,
                cost,
                in_flight: None,
                shows_limits: false,
            });
            let head = Head::of(request);
            let form = AnswerForm::of(request.method(), || policy.grpc().is_call(head));
            let table = self.shared.renderer.table(head);
            let id = request.extensions().get().cloned();
            let masked = self.shared.renderer.shows_keys().then(|| policy.masked_key(head));
            let masked = masked.flatten();
            let masked_key = masked.as_deref();
            let request = Some(&RequestFacts::new(&head, true, id));
            let expired_at = record.and_then(KeyRecord::expires);
            let facts = RefusalFacts {
                table,
                request,
                authenticated,
                expired_at,
                masked_key,
                ..RefusalFacts::of(denial, form)
            };
            explanation.answer = Some(self.shared.renderer.refuse(&facts));
        }
        explanation
    }

    /// Returns the answer that a client gets for a denial over HTTP, without limit headers and without headers
    /// about the key's account. It is that of the profile's `answers`, for any path that has no answers of its own.
    ///
    /// ```
    /// use tower_api_key::{ApiKeyLayer, Denial, store::MemoryStore, vendors};
    ///
    /// let layer = ApiKeyLayer::builder(vendors::PERSONYZE, MemoryStore::new()).build()?;
    /// assert_eq!(layer.answer(&Denial::KeyUnknown).body(), "Invalid API key");
    /// # Ok::<(), tower_api_key::ConfigError>(())
    /// ```
    pub fn answer(&self, denial: &Denial) -> Response<Bytes> {
        self.shared.renderer.refuse(&RefusalFacts::of(denial, AnswerForm::Full))
    }

    /// Returns how often the limiter could not answer since the layer was built, by what the gate did instead.
    pub fn limiter_failures(&self) -> LimiterFailures {
        self.shared.counted.failures.so_far()
    }
}

impl<S> Layer<S> for ApiKeyLayer {
    type Service = ApiKeyGate<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ApiKeyGate::new(&self.shared, inner)
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
