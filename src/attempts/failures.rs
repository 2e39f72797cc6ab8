//! How often authentication may fail, as a deployment says it.

use std::time::Duration;

use super::limiter::AttemptLimiter;
use super::network::Prefixes;
use super::table::BucketTable;
use crate::error::ConfigError;
use crate::quota::{Quota, Quotas};

/// The networks that are remembered unless said otherwise.
const NETWORKS: usize = 65_536;

/// Limits the failed attempts to authenticate that come from one network of clients: IPv4 addresses
/// alone, IPv6 by `/64`, unless [said otherwise](Self::prefixes). An IPv4-mapped IPv6 address counts
/// as the IPv4 address it stands for.
///
/// An attempt fails if its credential is malformed, or its key malformed, unknown, revoked, disabled,
/// expired, early, or of another environment or scheme. A request without a credential is no attempt,
/// nor is one over plain HTTP, and what an authenticated key may not do (403) is no failure. Attempts
/// are counted in a leaky bucket of `limit`, which drains evenly over the window. While it is full,
/// every request with a credential from that network is refused with 429 before the store is asked,
/// whoever sent it: a network is all that is known of a client that has not authenticated. No account's
/// quota is touched, and the refusal says nothing of any account.
///
/// A lookup that is under way counts as failed until its key serves, the store fails or the client hangs
/// up, so that guesses made at once are no more than guesses made one by one. A network has therefore at
/// most `limit` lookups under way: set it above what your largest client sends at once to a store that
/// waits, and above the number of threads that serve where the store answers at once. The 429 that a lookup
/// under way causes asks the client to come back after a second.
///
/// A client whose address cannot be determined is not counted and not refused: were such clients
/// counted together, one of them could lock out all. So can one who shares the address that the server
/// sees: behind a proxy, list it as [trusted](crate::ApiKeyLayerBuilder::trusted_proxies), or all of its
/// clients count as one. Name the headers that it writes, and let it overwrite what clients send: behind
/// [`Either`](crate::request::ProxyHeaders::Either), say, whoever adds the other kind has no address, and
/// guesses uncounted.
///
/// The memory is of fixed size, 25 bytes for each network, and made when the layer is built. A
/// network that finds it full takes the place of the one that has failed least of eight. A flood of
/// failures from ever new networks can therefore make the layer forget some, of those that are not over
/// their limit first.
///
/// Each layer counts for itself, in this process alone.
///
/// ```
/// # use http::Request;
/// # use bytes::Bytes;
/// # use http_body_util::Full;
/// # use tower::{Layer, ServiceExt, service_fn};
/// # use tower_api_key::{ApiKeyLayer, request::Connection, store::MemoryStore, vendors};
/// use std::time::Duration;
/// use tower_api_key::attempts::FailedAttempts;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let builder = ApiKeyLayer::builder(vendors::POLYTEIA, MemoryStore::new());
/// let ten_a_minute = FailedAttempts::new(10, Duration::from_secs(60));
/// let layer = builder.failed_attempts(ten_a_minute).build()?;
/// # let service = layer.layer(service_fn(|_: Request<()>| async {
/// #     Ok::<_, std::convert::Infallible>(http::Response::new(Full::<Bytes>::default()))
/// # }));
/// # let guess = || {
/// #     let mut request = Request::new(());
/// #     request.headers_mut().insert("authorization", "Bearer 0123456789abcdef".parse().unwrap());
/// #     request.extensions_mut().insert(Connection::tls("192.0.2.1:4711".parse().unwrap()));
/// #     service.clone().oneshot(request)
/// # };
/// for _ in 0..10 {
///     assert_eq!(guess().await?.status(), 401);
/// }
/// let refused = guess().await?;
/// assert_eq!(refused.status(), 429);
/// assert_eq!(refused.headers()["retry-after"], "6"); // until one of ten has drained
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct FailedAttempts {
    pub(super) quota: Quota,
    pub(super) prefixes: Prefixes,
    networks: usize,
    serves_good_keys: bool,
}

impl FailedAttempts {
    /// An IPv4 address is a network of its own; of IPv6 a site has at least a `/64`.
    pub(super) const PREFIXES: Prefixes = Prefixes { ipv4: 32, ipv6: 64 };

    /// Allows `limit` failed attempts a window from one network.
    pub const fn new(limit: u32, window: Duration) -> Self {
        Self {
            quota: Quota::new("failed-attempts", limit, window),
            prefixes: Self::PREFIXES,
            networks: NETWORKS,
            serves_good_keys: false,
        }
    }

    /// Takes addresses with these first bits in common for one network, 32 and 64 unless set. A site
    /// often has an IPv6 `/56` or `/48`, and may send from any address of it.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tower_api_key::{ApiKeyLayer, ConfigError, attempts::FailedAttempts};
    /// # use tower_api_key::{store::MemoryStore, vendors};
    /// let by_site = FailedAttempts::new(100, Duration::from_secs(3_600)).prefixes(32, 48);
    /// # let builder = || ApiKeyLayer::builder(vendors::POLYTEIA, MemoryStore::new());
    /// assert!(builder().failed_attempts(by_site.clone()).build().is_ok());
    ///
    /// let everybody = by_site.prefixes(0, 0); // would let one lock out all
    /// let refused = builder().failed_attempts(everybody).build();
    /// assert!(matches!(refused, Err(ConfigError::AttemptPrefix { .. })));
    /// ```
    pub const fn prefixes(mut self, ipv4: u8, ipv6: u8) -> Self {
        self.prefixes = Prefixes { ipv4, ipv6 };
        self
    }

    /// Remembers so many networks, 65,536 unless set; rounded up to a multiple of eight. More than
    /// 16,777,216, which take some 400 MB, are refused when the layer is built.
    pub const fn capacity(mut self, most: usize) -> Self {
        self.networks = most;
        self
    }

    /// Looks keys up even while their network is over its limit, and serves those that are good; the
    /// others get the 429 in place of their 401. For clients that share an address with strangers,
    /// behind a carrier's NAT say.
    ///
    /// It spares no store, and slows no guess: an attacker learns of each key whether it is good. Keys
    /// of 128 random bits bear that; short ones from elsewhere do not.
    pub const fn serve_good_keys(mut self) -> Self {
        self.serves_good_keys = true;
        self
    }

    pub(crate) fn build(self) -> Result<AttemptLimiter, ConfigError> {
        let Self { quota, prefixes, networks, serves_good_keys } = self;
        prefixes.check()?;
        Quotas::new([quota.clone()])?;
        let table = BucketTable::sized("networks with failed attempts", networks)?;
        Ok(AttemptLimiter { quota, prefixes, serves_good_keys, table })
    }
}
