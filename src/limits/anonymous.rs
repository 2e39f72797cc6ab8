//! The quotas of anonymous clients, as a deployment configures them.

use std::net::IpAddr;

use crate::caller::{ClientNetwork, Prefixes};
use crate::error::ConfigError;
use crate::quota::{Quota, Quotas, network_problem};

/// The method that sets them, for errors.
const METHOD: &str = "anonymous_quotas";

/// Quotas of requests without a key, which the gate counts by the client's network.
///
/// They apply where the gate admits [requests without a key](crate::ApiKeyLayerBuilder::optional). Without them,
/// a gate with a limiter admits such requests only where keyed requests cost nothing: otherwise a client could
/// evade its limits by leaving its key out. With them,
///
/// * every route is open that needs no scope, kind or account, is not
///   [metered](crate::rules::Route::metered), and has no quotas and no concurrency limit;
/// * a route with [quotas](crate::rules::Route::quotas) is open if it has
///   [anonymous quotas](crate::rules::Route::anonymous_quotas) of its own;
/// * without a table of routes everything is open.
///
/// A request pays the [cost](crate::rules::Route::cost) of its route. Its answer has the limit headers of the
/// profile, and over the limit it is the profile's answer to
/// [`Denial::RateLimited`](crate::Denial::RateLimited). A request with a key counts for its account alone, on
/// the same routes.
///
/// # Networks
///
/// A network is one IPv4 address or an IPv6 `/64`, unless [set](Self::prefixes). An IPv4-mapped IPv6 address
/// counts as its IPv4 address. Clients whose address cannot be determined are counted together, as one network.
///
/// Behind a proxy, list the proxy as [trusted](crate::ApiKeyLayerBuilder::trusted_proxies). Otherwise all of its
/// clients are one network.
///
/// # Memory
///
/// Networks take no memory from accounts. [`MemoryLimiter`](super::MemoryLimiter) and `RedisLimiter` have a bound
/// for networks, and count further networks together.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::limits::{AnonymousQuotas, MemoryLimiter};
/// use tower_api_key::quota::{OnLimiterFailure, Quota};
/// use tower_api_key::rules::{Route, Routes};
/// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
///
/// let routes = Routes::new()
///     .get("/v1/status", Route::new())
///     .get("/v1/users", Route::new().all_of(&["users.read"]));
/// let minute = Quota::new("anonymous", 60, Duration::from_secs(60));
/// let layer = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new())
///     .routes(routes)
///     .limits(MemoryLimiter::new(), OnLimiterFailure::Deny)
///     .optional()
///     .anonymous_quotas(AnonymousQuotas::new([minute])) // `/v1/status`, 60 a minute for each network
///     .build()?;
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
#[derive(Debug, Clone)]
pub struct AnonymousQuotas {
    quotas: Vec<Quota>,
    prefixes: Prefixes,
}

impl Default for AnonymousQuotas {
    /// Sets no quotas, for a gate whose routes have their own.
    fn default() -> Self {
        Self::new([])
    }
}

impl AnonymousQuotas {
    /// Sets the quotas of all open routes, at most 4. [`build`](crate::ApiKeyLayerBuilder::build) fails for a quota
    /// that counts by key, and if all are in shadow: the routes would be open without a limit.
    pub fn new(quotas: impl IntoIterator<Item = Quota>) -> Self {
        Self { quotas: quotas.into_iter().collect(), prefixes: Prefixes::SITE }
    }

    /// Sets the length of a network's prefix in bits, 32 and 64 unless set. Addresses with the same prefix
    /// count together. A site often has an IPv6 `/56` or `/48`, and may send from any address of it.
    ///
    /// A length must be from 1 bit to all bits of an address, or
    /// [`build`](crate::ApiKeyLayerBuilder::build) fails.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_api_key::limits::AnonymousQuotas;
    /// use tower_api_key::quota::Quota;
    ///
    /// let minute = Quota::new("anonymous", 60, Duration::from_secs(60));
    /// let by_site = AnonymousQuotas::new([minute]).prefixes(32, 48);
    /// ```
    pub const fn prefixes(mut self, ipv4: u8, ipv6: u8) -> Self {
        self.prefixes = Prefixes { ipv4, ipv6 };
        self
    }

    /// Refuses quotas that cannot count by network, and prefixes that no address has.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        self.prefixes.check("AnonymousQuotas::prefixes")?;
        Quotas::new(self.quotas.iter().cloned())?;
        match network_problem(&self.quotas) {
            Some(problem) => Err(Self::refused(problem)),
            None => Ok(()),
        }
    }

    /// Returns the error for a problem and its remedy.
    pub(crate) fn refused(problem: impl Into<String>) -> ConfigError {
        ConfigError::AnonymousQuotas { place: format!("`{METHOD}`"), problem: problem.into() }
    }

    pub(crate) fn as_slice(&self) -> &[Quota] {
        &self.quotas
    }

    /// Returns the network of a client, which all of unknown address share.
    pub(crate) fn network(&self, client: Option<IpAddr>) -> ClientNetwork {
        client.map_or(ClientNetwork::UNKNOWN, |client| self.prefixes.network(client))
    }
}
