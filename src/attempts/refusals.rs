//! The limit on requests of a valid key that the rules refuse.

use std::time::Duration;

use super::events::EventLimiter;
use super::table::BucketTable;
use crate::clock::Timestamp;
use crate::error::ConfigError;
use crate::quota::{Quota, Quotas};

/// The keys that are remembered, unless set.
const KEYS: usize = 65_536;

/// A limit on the requests of one key that the rules refuse.
///
/// The rules refuse a request for its key's network, kind or account, or for its route, headers or scopes. The
/// gate can refuse, or a handler. A thief of a key tries what the key may do, also from networks where the key
/// must not be used. A refusal costs no quota, so only this limit counts it.
///
/// The layer counts refusals by key in a leaky bucket of `limit`, which drains evenly over the window. While
/// the bucket is full, a request that the rules refuse gets 429 in place of 403. The gate then does not ask
/// the limiter of the key's quotas. Requests that the rules let pass are served in any case, so a thief
/// cannot lock out the owner. A refusal charges no quota of the key or its account.
///
/// The layer allocates 25 bytes for each key when it is built, and never more. If there is no room for a new
/// key, the layer forgets the key with the fewest refusals of eight. Each layer counts for itself, in this
/// process alone. A layer that is [reloaded](../reload/index.html#what-survives) keeps what it has counted.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::attempts::RefusedRequests;
/// use tower_api_key::rules::{Route, Routes};
/// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
///
/// // A key without the scope gets 403 on `/users` 20 times, then 429. It can still use `/status`.
/// let layer = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new())
///     .routes(
///         Routes::new()
///             .on(&[], "/status", Route::new())
///             .on(&[], "/users", Route::new().all_of(&["users.read"])),
///     )
///     .refused_requests(RefusedRequests::new(20, Duration::from_secs(60)))
///     .build()?;
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
#[derive(Debug, Clone)]
pub struct RefusedRequests {
    quota: Quota,
    keys: usize,
}

impl RefusedRequests {
    /// Allows `limit` refused requests of one key a window.
    pub const fn new(limit: u32, window: Duration) -> Self {
        Self { quota: Quota::new("refused-requests", limit, window), keys: KEYS }
    }

    /// Sets the number of keys that the layer remembers, 65,536 unless set; rounded up to a multiple of eight.
    /// [`build`](crate::ApiKeyLayerBuilder::build) fails for more than 16,777,216.
    pub const fn keys(mut self, most: usize) -> Self {
        self.keys = most;
        self
    }

    /// Builds the limiter. It takes over what the previous one has counted.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the quota is not valid, or the number of keys is too large.
    pub(crate) fn build(
        self,
        previous: Option<(&EventLimiter, Timestamp)>,
    ) -> Result<EventLimiter, ConfigError> {
        let Self { quota, keys } = self;
        Quotas::new([quota.clone()])?;
        BucketTable::check("keys with refused requests", keys)?;
        Ok(EventLimiter::new(quota, keys, previous))
    }
}
