//! The limit on failed authentication, as a deployment configures it.

use std::sync::Arc;
use std::time::Duration;

use super::limiter::AttemptLimiter;
use super::shared::{AttemptCounter, SharedAttempts};
use super::table::BucketTable;
use crate::caller::Prefixes;
use crate::clock::Timestamp;
use crate::error::ConfigError;
use crate::limits::Limiter;
use crate::quota::{OnLimiterFailure, Quota, Quotas};

/// The networks that are remembered, unless set.
const NETWORKS: usize = 65_536;

/// A limit on the failed attempts to authenticate from one network of clients.
///
/// A network is one IPv4 address or an IPv6 `/64`, unless [set](Self::prefixes). An IPv4-mapped IPv6 address
/// counts as its IPv4 address.
///
/// # What counts
///
/// An attempt fails if its credential is malformed or ambiguous, or if its key is malformed, unknown, revoked,
/// disabled, expired, not valid yet, of another environment or scheme, or beside a wrong id. Three things are no failed attempt:
///
/// * a request without a credential;
/// * a request over plain HTTP;
/// * a request that a valid key may not make (403).
///
/// The layer counts attempts in a leaky bucket of `limit`, which drains evenly over the window. While the
/// bucket is full, the gate refuses every request with a credential from that network with 429, before it
/// asks the store. This holds for valid keys as well, because a client that has not authenticated is known by
/// its network only. The refusal charges no quota, and shows nothing of any account.
///
/// # Lookups under way
///
/// A lookup that is under way counts as failed, so that many guesses at once are not more than guesses one
/// by one. It no longer counts when its key is found valid, the store fails or the client hangs up.
///
/// So a network has at most `limit` lookups under way. If the store waits, set `limit` above the number of
/// requests that your largest client sends at once. If the store answers at once, set it above the number of
/// threads that serve. A 429 because of a lookup under way asks the client to come back after 1 s.
///
/// # Proxies
///
/// The gate neither counts nor refuses a client whose address it cannot determine. If such clients were counted
/// together, one of them could lock out all.
///
/// Behind a proxy, list the proxy as [trusted](crate::ApiKeyLayerBuilder::trusted_proxies). Otherwise all of
/// its clients count as one network, and one of them can lock out all. Name the headers that the proxy
/// writes, and let the proxy overwrite what clients send. Behind
/// [`Either`](crate::request::ProxyHeaders::Either), for example, a client that adds the other kind of header
/// has no address, so its guesses are not counted.
///
/// # Memory
///
/// The layer allocates 25 bytes for each network when it is built, and never more. If there is no room for a
/// new network, the layer forgets the network with the fewest failures of eight. So a flood of failures from
/// ever new networks can make the layer forget some, first of all those that are not over their limit.
///
/// Each layer counts for itself, in this process alone, unless a limiter
/// [counts for all processes](Self::counted_by). A layer that is [reloaded](../reload/index.html#what-survives) keeps what it has counted.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::attempts::FailedAttempts;
/// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
///
/// // After ten failures a network gets 429 with `Retry-After: 6`, until one of the ten has drained.
/// let layer = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new())
///     .failed_attempts(FailedAttempts::new(10, Duration::from_secs(60)))
///     .build()?;
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
#[derive(Debug, Clone)]
pub struct FailedAttempts {
    pub(super) quota: Quota,
    pub(super) prefixes: Prefixes,
    networks: usize,
    serves_good_keys: bool,
    counter: Option<AttemptCounter>,
    lacks_limiter: bool,
}

impl FailedAttempts {
    /// Allows `limit` failed attempts a window from one network.
    pub const fn new(limit: u32, window: Duration) -> Self {
        Self {
            quota: Quota::new("failed-attempts", limit, window),
            prefixes: Prefixes::SITE,
            networks: NETWORKS,
            serves_good_keys: false,
            counter: None,
            lacks_limiter: false,
        }
    }

    /// Sets the length of a network's prefix in bits, 32 and 64 unless set. Addresses with the same prefix
    /// count together. A site often has an IPv6 `/56` or `/48`, and may send from any address of it.
    ///
    /// A length must be from 1 bit to all bits of an address, or
    /// [`build`](crate::ApiKeyLayerBuilder::build) fails. With 0 bits, one client could lock out all.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_api_key::attempts::FailedAttempts;
    ///
    /// let by_site = FailedAttempts::new(100, Duration::from_secs(3_600)).prefixes(32, 48);
    /// ```
    pub const fn prefixes(mut self, ipv4: u8, ipv6: u8) -> Self {
        self.prefixes = Prefixes { ipv4, ipv6 };
        self
    }

    /// Sets the number of networks that the layer remembers, 65,536 unless set; rounded up to a multiple of
    /// eight. [`build`](crate::ApiKeyLayerBuilder::build) fails for more than 16,777,216, which take about
    /// 400 MB.
    pub const fn capacity(mut self, most: usize) -> Self {
        self.networks = most;
        self
    }

    /// Looks up keys even while their network is over its limit, and serves the valid ones. The others get 429
    /// in place of 401. For clients that share an address with other people, for example behind a carrier's
    /// NAT.
    ///
    /// With this setting the limit neither spares the store nor slows guesses: an attacker learns of each key
    /// whether it is valid. That is safe for keys of 128 random bits, and not for short keys from elsewhere.
    pub const fn serve_good_keys(mut self) -> Self {
        self.serves_good_keys = true;
        self
    }

    /// Counts failed attempts by a limiter as well, so that all processes that use it share one limit: `RedisLimiter` of
    /// the crate `tower-api-key-redis`, for example. Without this, each layer counts for itself.
    ///
    /// # Which requests ask the limiter
    ///
    /// The layer counts in memory as before, so a network over its limit here is refused without a question. Two kinds
    /// of requests ask the limiter:
    ///
    /// * An attempt that failed is counted before it is answered. If the limiter refuses it, the answer is 429.
    /// * A request asks before its key is looked up if its network is under suspicion on this layer: if a failed attempt
    ///   of the network has not drained, if another lookup of it is under way, or if the limiter has refused it within the
    ///   last window, or could not count its failed attempt. The limiter gives the attempt back if the key is found valid.
    ///
    /// So a network without failures asks nothing while it sends one unknown key at a time. A known key that a cache or
    /// memory holds costs no question then.
    ///
    /// # The bound
    ///
    /// In a leaky bucket at most `2 × limit` attempts of a network fail in a window's length, over all processes. Beyond
    /// these, each layer may look up one more key of the network in a window's length: the first one, before it knows
    /// the network. If that key is valid, the layer serves it.
    ///
    /// # Failure
    ///
    /// `otherwise` says what happens if a question has no answer. [`Deny`](OnLimiterFailure::Deny) answers 503.
    /// [`Allow`](OnLimiterFailure::Allow) goes on with the count of this layer alone, which has the whole limit.
    /// [`Local`](OnLimiterFailure::Local) goes on with a share of the limit.
    ///
    /// With `Deny` and `Local`, a network whose failed attempt could not be counted has to ask for the length of a window.
    /// So with `Deny`, while the limiter is down, each layer looks up at most one wrong key of a network in a window's
    /// length, and refuses further keys of it with 503, also valid ones.
    ///
    /// A client that hangs up while the limiter is asked has made a failed attempt. In Redis networks are counted in
    /// bounded memory, as those of [`AnonymousQuotas`](crate::limits::AnonymousQuotas) are. So an attacker with many networks
    /// can make others count together. A counter that networks share refuses failed attempts, with 429 in place of 401, and
    /// locks out no valid key: each layer still looks up what its own count allows. So the failures of such a network are
    /// bounded by each layer, not by all together. A limiter with a prefix of its own and a pepper in its
    /// `network_hasher` makes it hard to choose whose networks count together.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::time::Duration;
    /// use tower_api_key::attempts::FailedAttempts;
    /// use tower_api_key::limits::MemoryLimiter;
    /// use tower_api_key::quota::OnLimiterFailure;
    /// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
    ///
    /// // Two layers of one process share a limiter in memory. Processes share one in Redis.
    /// let limiter = Arc::new(MemoryLimiter::new());
    /// let attempts = FailedAttempts::new(10, Duration::from_secs(60)).counted_by(limiter, OnLimiterFailure::Deny);
    /// for _ in 0..2 {
    ///     ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new()).failed_attempts(attempts.clone()).build()?;
    /// }
    /// # Ok::<(), tower_api_key::ConfigError>(())
    /// ```
    pub fn counted_by(mut self, limiter: impl Limiter, otherwise: OnLimiterFailure) -> Self {
        self.counter = Some(AttemptCounter { limiter: Arc::new(limiter), otherwise });
        self
    }

    /// Counts by a limiter that is missing, so no layer is built.
    #[cfg(feature = "config")]
    pub(crate) const fn counted_by_none(mut self) -> Self {
        self.lacks_limiter = true;
        self
    }

    /// Builds the limiter. It takes over what the previous one has counted, if the prefixes are the same.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the limit or the prefixes are not valid, the number of networks is too large, or the limiter
    /// that counts for all processes is missing or gives nothing back.
    pub(crate) fn build(
        self,
        previous: Option<(&AttemptLimiter, Timestamp)>,
    ) -> Result<AttemptLimiter, ConfigError> {
        let Self { quota, prefixes, networks, serves_good_keys, counter, lacks_limiter } = self;
        if lacks_limiter {
            return Err(ConfigError::AttemptsLimiterMissing);
        }
        prefixes.check("FailedAttempts::prefixes")?;
        Quotas::new([quota.clone()])?;
        BucketTable::check("networks with failed attempts", networks)?;
        let previous = previous.filter(|(previous, _)| previous.prefixes == prefixes);
        if counter.as_ref().is_some_and(|counter| !counter.limiter.refunds()) {
            return Err(ConfigError::AttemptsNotGivenBack);
        }
        let before = previous.and_then(|(limiter, now)| Some((limiter.shared.as_ref()?, now)));
        let shared = |counter| SharedAttempts::new(counter, &quota, networks, before);
        let shared = counter.map(shared);
        let previous = previous.map(|(limiter, now)| (&limiter.table, &limiter.quota, now));
        let table = BucketTable::new(networks, &quota, previous);
        Ok(AttemptLimiter { quota, prefixes, serves_good_keys, table, shared })
    }
}
