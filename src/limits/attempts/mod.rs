//! Failed authentication: so much of it from one network of clients, in a memory of fixed size.

mod network;
mod table;

use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use self::network::Prefixes;
use self::table::Table;
use crate::clock::{Clock, Timestamp};
use crate::error::ConfigError;
use crate::key::{Quota, Quotas};

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
/// A client whose address cannot be determined is not counted and not refused: were such clients
/// counted together, one of them could lock out all. So can one who shares the address that the server
/// sees: behind a proxy, list it as [trusted](crate::ApiKeyLayerBuilder::trusted_proxies), or all of its
/// clients count as one. Name the headers that it writes, and let it overwrite what clients send: behind
/// [`Either`](crate::request::ProxyHeaders::Either), say, whoever adds the other kind has no address, and
/// guesses uncounted.
///
/// The memory is of fixed size, 16 bytes and a few for each network, and made when the layer is built. A
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
/// use tower_api_key::limits::FailedAttempts;
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
    quota: Quota,
    prefixes: Prefixes,
    networks: usize,
    serves_good_keys: bool,
}

impl FailedAttempts {
    /// Allows `limit` failed attempts a window from one network.
    pub const fn new(limit: u32, window: Duration) -> Self {
        Self {
            quota: Quota::new("failed-attempts", limit, window),
            prefixes: Prefixes { ipv4: 32, ipv6: 64 },
            networks: NETWORKS,
            serves_good_keys: false,
        }
    }

    /// Takes addresses with these first bits in common for one network, 32 and 64 unless set. A site
    /// often has an IPv6 `/56` or `/48`, and may send from any address of it.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tower_api_key::{ApiKeyLayer, ConfigError, limits::FailedAttempts};
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

    /// Remembers so many networks, 65,536 unless set; rounded up to a multiple of eight.
    pub const fn networks(mut self, most: usize) -> Self {
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
        Ok(AttemptLimiter {
            quota,
            prefixes,
            serves_good_keys,
            blocked_until: AtomicU64::new(0),
            table: Table::with_room_for(networks),
        })
    }
}

/// What became of a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// It was counted, and its network has room for another.
    Counted,
    /// It was counted, and was the last of its network for this long.
    Last(Duration),
    /// Its network is over its limit for this long.
    Over(Duration),
}

/// Counts failed attempts.
pub(crate) struct AttemptLimiter {
    quota: Quota,
    prefixes: Prefixes,
    serves_good_keys: bool,
    /// The last instant, in nanoseconds, at which some network is over its limit; 0 if none is. All
    /// that a request looks at while nobody is.
    blocked_until: AtomicU64,
    table: Table,
}

impl AttemptLimiter {
    /// Returns for how long requests of a client are refused unseen; `None` if they are not.
    #[inline]
    pub(crate) fn refusal(&self, client: Option<IpAddr>, clock: &dyn Clock) -> Option<Duration> {
        // Relaxed: a request that is under way while another fails may come before it.
        match self.blocked_until.load(Ordering::Relaxed) {
            0 => None,
            until => self.look(client, until, clock.now()),
        }
    }

    #[cold]
    fn look(&self, client: Option<IpAddr>, until: u64, now: Timestamp) -> Option<Duration> {
        if until <= now.unix_nanoseconds() {
            // A network that came to its limit meanwhile has moved the instant on, and keeps it.
            let (relaxed, blocked_until) = (Ordering::Relaxed, &self.blocked_until);
            let _ = blocked_until.compare_exchange(until, 0, relaxed, relaxed);
            return None;
        }
        if self.serves_good_keys {
            return None;
        }
        // Where it lies, for it is settled, too: who is refused unseen fails no more, and would stay
        // refused until a clock that was set back had caught up.
        let network = self.prefixes.network(client?);
        let wait = self.table.find(network, |bucket| bucket.wait(&self.quota, now, 1))??;
        Some(Duration::from_nanos(wait))
    }

    /// Counts a failed attempt of a client.
    pub(crate) fn fail(&self, client: IpAddr, now: Timestamp) -> Attempt {
        let (over, wait) = self.table.with(self.prefixes.network(client), |bucket| {
            let over = bucket.wait(&self.quota, now, 1);
            if over.is_none() {
                bucket.take(&self.quota, now, 1);
            }
            (over.is_some(), over.or_else(|| bucket.wait(&self.quota, now, 1)))
        });
        let Some(wait) = wait else {
            return Attempt::Counted;
        };
        let until = now.plus_nanoseconds(wait).unix_nanoseconds();
        self.blocked_until.fetch_max(until, Ordering::Relaxed);
        let wait = Duration::from_nanos(wait);
        if over { Attempt::Over(wait) } else { Attempt::Last(wait) }
    }
}

impl fmt::Debug for AttemptLimiter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("AttemptLimiter").field("quota", &self.quota).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    const START: Timestamp = Timestamp::from_unix_seconds(1_000_000);
    const SECOND: Duration = Duration::from_secs(1);
    /// Three at once, and one each second.
    const THREE: FailedAttempts = FailedAttempts::new(3, Duration::from_secs(3));

    fn limiter(attempts: &FailedAttempts) -> (AttemptLimiter, ManualClock) {
        (attempts.clone().build().unwrap(), ManualClock::starting_at(START))
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_that_failed_too_often_is_refused_until_one_has_drained() {
        let (limiter, clock) = limiter(&THREE);
        let (client, other) = (address("192.0.2.1"), address("192.0.2.2"));
        for expected in [Attempt::Counted, Attempt::Counted, Attempt::Last(SECOND)] {
            assert_eq!(limiter.refusal(Some(client), &clock), None);
            assert_eq!(limiter.fail(client, clock.now()), expected);
        }
        assert_eq!(limiter.refusal(Some(client), &clock), Some(SECOND));
        assert_eq!(limiter.fail(client, clock.now()), Attempt::Over(SECOND), "was under way");
        assert_eq!(limiter.refusal(Some(other), &clock), None);
        assert_eq!(limiter.refusal(None, &clock), None);
        clock.advance(SECOND / 4);
        assert_eq!(limiter.refusal(Some(client), &clock), Some(SECOND * 3 / 4));
        clock.advance(SECOND * 3 / 4);
        assert_eq!(limiter.refusal(Some(client), &clock), None);
        assert_eq!(limiter.blocked_until.load(Ordering::Relaxed), 0, "and nobody else looks");
        assert_eq!(limiter.fail(client, clock.now()), Attempt::Last(SECOND));
        clock.advance(10 * SECOND);
        assert_eq!(limiter.fail(client, clock.now()), Attempt::Counted, "all have drained");
        let shown = format!("{limiter:?}");
        assert!(shown.contains("quota") && !shown.contains("192.0.2.1"), "{shown}");
    }

    fn failed_before_the_clock_was_set_back() -> (AttemptLimiter, ManualClock, IpAddr) {
        let (limiter, clock) = limiter(&THREE);
        let client = address("192.0.2.1");
        clock.set(START.plus(1_000 * SECOND));
        (0..3).for_each(|_| {
            limiter.fail(client, clock.now());
        });
        clock.set(START);
        (limiter, clock, client)
    }

    #[test]
    fn a_clock_set_back_refuses_nobody_for_longer_than_one_window() {
        let (limiter, clock, client) = failed_before_the_clock_was_set_back();
        assert_eq!(limiter.refusal(Some(client), &clock), Some(SECOND));
        limiter.fail(client, clock.now());
        clock.advance(SECOND);
        assert_eq!(limiter.refusal(Some(client), &clock), None);
    }

    #[test]
    fn a_clock_set_back_refuses_nobody_for_longer_who_only_sends_keys() {
        let (limiter, clock, client) = failed_before_the_clock_was_set_back();
        // Refused unseen, none of its requests counts as an attempt.
        assert_eq!(limiter.refusal(Some(client), &clock), Some(SECOND));
        clock.advance(SECOND);
        assert_eq!(limiter.refusal(Some(client), &clock), None);
    }

    #[test]
    fn good_keys_are_looked_up_where_that_was_chosen() {
        let (limiter, clock) = limiter(&THREE.serve_good_keys());
        let client = address("2001:db8::1");
        (0..3).for_each(|_| {
            limiter.fail(client, clock.now());
        });
        assert_eq!(limiter.refusal(Some(client), &clock), None);
        assert_eq!(limiter.fail(client, clock.now()), Attempt::Over(SECOND));
    }

    #[test]
    fn a_limit_that_cannot_be_counted_is_refused() {
        for attempts in [
            FailedAttempts::new(0, SECOND),
            FailedAttempts::new(1, Duration::ZERO),
            THREE.prefixes(0, 64),
            THREE.prefixes(33, 64),
            THREE.prefixes(32, 0),
            THREE.prefixes(32, 129),
        ] {
            assert!(attempts.clone().build().is_err(), "{attempts:?}");
        }
    }
}
