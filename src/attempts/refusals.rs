//! Requests of a good key that the rules refuse.

use std::time::Duration;

use super::events::EventLimiter;
use crate::error::ConfigError;
use crate::quota::{Quota, Quotas};

/// The keys that are remembered unless said otherwise.
const KEYS: usize = 65_536;

/// Limits how often the rules refuse requests of one key: for its network, kind, account, route, headers
/// or scopes, by the gate or by a handler. Whoever has stolen a key tries what it may do, from where it
/// may not be used, and a refusal costs no quota.
///
/// Refusals are counted by key in a leaky bucket of `limit`, which drains evenly over the window. While it
/// is full, what the rules refuse is answered with 429 in place of the 403, and the limiter of the
/// key's quotas is not asked. Requests that the rules let pass are served all the same: a thief cannot
/// lock out the owner. The quotas of the key and its account are not touched.
///
/// The memory is of fixed size, 25 bytes for each key. A key that finds it full takes the place of the one
/// that was refused least of eight. Each layer counts for itself, in this process alone.
///
/// ```
/// # use http::Request;
/// # use bytes::Bytes;
/// # use http_body_util::Full;
/// # use tower::{Layer, ServiceExt, service_fn};
/// # use tower_api_key::key::{Account, KeyHasher, KeyRecord};
/// # use tower_api_key::{ApiKeyLayer, store::MemoryStore, vendors};
/// use std::time::Duration;
/// use tower_api_key::attempts::RefusedRequests;
/// use tower_api_key::rules::{Route, Routes};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let store = MemoryStore::new();
/// # let record = KeyRecord::builder("key_1", Account::builder("acme").build()?).build()?;
/// # store.add_now(KeyHasher::sha256().digest(b"0123456789abcdef"), record);
/// # let builder = ApiKeyLayer::builder(vendors::REST_INTEGRATIONS, store);
/// # let builder = builder.without_limits().assume_https();
/// let routes = Routes::new()
///     .on(&[], "/status", Route::new())
///     .on(&[], "/users", Route::new().all_of(&["users.read"]));
/// let twenty_a_minute = RefusedRequests::new(20, Duration::from_secs(60));
/// let layer = builder.routes(routes).refused_requests(twenty_a_minute).build()?;
/// # let service = layer.layer(service_fn(|_: Request<()>| async {
/// #     Ok::<_, std::convert::Infallible>(http::Response::new(Full::<Bytes>::default()))
/// # }));
/// # let get = |path: &str| {
/// #     let request = Request::get(path).header("authorization", "Bearer 0123456789abcdef");
/// #     service.clone().oneshot(request.body(()).unwrap())
/// # };
/// for _ in 0..20 {
///     assert_eq!(get("/users").await?.status(), 403);
/// }
/// assert_eq!(get("/users").await?.status(), 429);
/// assert_eq!(get("/status").await?.status(), 200);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct RefusedRequests {
    quota: Quota,
    keys: usize,
}

impl RefusedRequests {
    /// Allows `limit` refused requests a window of one key.
    pub const fn new(limit: u32, window: Duration) -> Self {
        Self { quota: Quota::new("refused-requests", limit, window), keys: KEYS }
    }

    /// Remembers so many keys, 65,536 unless set; rounded up to a multiple of eight. More than 16,777,216 are
    /// refused when the layer is built.
    pub const fn keys(mut self, most: usize) -> Self {
        self.keys = most;
        self
    }

    pub(crate) fn build(self) -> Result<EventLimiter, ConfigError> {
        Quotas::new([self.quota.clone()])?;
        EventLimiter::sized(self.quota, "keys with refused requests", self.keys)
    }
}
