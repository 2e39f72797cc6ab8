//! The builder of a limiter in Redis.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use super::concurrency::RedisConcurrency;
use super::lease::Lease;
use super::limiter::RedisLimiter;
use super::observer::RedisObserver;
use super::script::ChargeScript;
use super::servers::{Access, Servers};
#[cfg(feature = "testing")]
use super::stream_source::StreamSource;
use tower_api_key::ConfigError;
use tower_api_key::key::KeyHasher;

/// The longest time that a call may take, unless set.
const TIMEOUT: Duration = Duration::from_millis(50);

/// The failed calls in a row after which the limiter makes no more calls, unless set.
const PATIENCE: u32 = 3;

/// The prefix of all Redis keys, unless set.
const PREFIX: &str = "tower-api-key:";

/// The lease of a permit, unless set.
const PERMIT_LEASE: Duration = Duration::from_secs(10);
/// The leases that can be set. A late renewal must not cost a permit, and the instant of the next
/// renewal must be representable.
const PERMIT_LEASES: RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(24 * 3_600);

/// A builder of a [`RedisLimiter`].
///
/// ```
/// use std::time::Duration;
/// use tower_api_key_redis::RedisLimiter;
///
/// let limiter = RedisLimiter::builder("redis://:secret@10.0.0.7:6379/1")
///     .prefix("staging:")
///     .timeout(Duration::from_millis(20))
///     .build()?;
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
#[derive(Clone)]
#[must_use = "a builder makes nothing by itself"]
pub struct RedisLimiterBuilder {
    servers: Servers,
    pub(super) access: Access,
    prefix: String,
    lease: Option<Lease>,
    permit_lease: Duration,
    network_hasher: KeyHasher,
    on_request_time: bool,
    pub(super) separate_calls: bool,
    observer: Option<Arc<dyn RedisObserver>>,
}

impl RedisLimiterBuilder {
    pub(super) fn new(servers: Servers) -> Self {
        let access = Access {
            credentials: None,
            #[cfg(feature = "tls")]
            tls: None,
            timeout: TIMEOUT,
            patience: PATIENCE,
            #[cfg(feature = "testing")]
            streams: None,
        };
        Self {
            servers,
            access,
            prefix: PREFIX.to_owned(),
            lease: None,
            permit_lease: PERMIT_LEASE,
            network_hasher: KeyHasher::sha256(),
            on_request_time: false,
            separate_calls: false,
            observer: None,
        }
    }

    /// Sets the prefix of all Redis keys, `tower-api-key:` unless set. Limiters with the same prefix on the
    /// same database count together.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets the longest time that a call may take, 50 ms unless set. After this time the limiter fails, and
    /// the gate's [`OnLimiterFailure`](tower_api_key::quota::OnLimiterFailure) decides. The server may still
    /// run the call, so it may charge a request that the gate refused.
    ///
    /// For a server in another region, set three times its ping. A server whose ping takes longer than five sixths of
    /// the timeout is not used, and the error says how far away it is.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.access.timeout = timeout;
        self
    }

    /// Sets how many calls in a row may fail, 3 unless set; 0 counts as 1.
    ///
    /// After that many failures the limiter makes no more calls, and fails at once. A background task
    /// tries to connect, first after 100 ms, in the end every 2 s, until the server answers again.
    pub fn patience(mut self, failures: u32) -> Self {
        self.access.patience = failures;
        self
    }

    /// Reports charges and calls to an observer: none unless set. [`RedisObserver`] has an example.
    pub fn observer(mut self, observer: impl RedisObserver) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Takes tokens in advance. Without a lease, each request is one round trip. With a lease, a request may
    /// wait for a call that is under way, and then for its own call.
    pub fn lease(mut self, lease: Lease) -> Self {
        self.lease = Some(lease);
        self
    }

    /// Sets the lease of a permit of [`RedisLimiter::concurrency`], 10 s unless set. The server keeps a
    /// permit for this time if its process does not renew it. So the permits of a process that died are free
    /// again within this time.
    ///
    /// The lease must be from 1 s to 24 h, or [`build`](Self::build) fails.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_api_key_redis::RedisLimiter;
    ///
    /// let limiter = RedisLimiter::builder("redis://127.0.0.1")
    ///     .permit_lease(Duration::from_secs(30))
    ///     .build()?;
    /// # Ok::<(), tower_api_key::ConfigError>(())
    /// ```
    pub fn permit_lease(mut self, lease: Duration) -> Self {
        self.permit_lease = lease;
        self
    }

    /// Sets how the limiter names the networks of anonymous clients: by SHA-256 unless set, or by HMAC-SHA-256
    /// with a pepper. All processes need the same.
    ///
    /// Use a pepper for two reasons:
    ///
    /// - Availability. The name of a network's site also chooses its Redis key. Without a pepper, an attacker with
    ///   many sites can compute which of them shares a Redis key with a given client, and fill that key.
    /// - Privacy. No name holds an address. But there are few IPv4 addresses, so anyone who reads the server's
    ///   memory can try them all against a digest without a pepper.
    ///
    /// ```
    /// use tower_api_key::key::{KeyHasher, Pepper};
    /// use tower_api_key_redis::RedisLimiter;
    ///
    /// let pepper = Pepper::new(*b"32 bytes of the random generator")?;
    /// let limiter = RedisLimiter::builder("redis://127.0.0.1")
    ///     .network_hasher(KeyHasher::with_pepper(&pepper))
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn network_hasher(mut self, hasher: KeyHasher) -> Self {
        self.network_hasher = hasher;
        self
    }

    /// Counts by the instants of requests instead of the server's clock, so that a test can set the time.
    /// If several processes serve requests, the clock that is ahead counts.
    #[cfg(feature = "testing")]
    pub fn on_request_time(mut self) -> Self {
        self.on_request_time = true;
        self
    }

    /// Opens streams to servers that a simulation plays, in place of sockets.
    #[cfg(feature = "testing")]
    pub fn stream_source(mut self, streams: impl StreamSource) -> Self {
        self.access.streams = Some(Arc::new(streams));
        self
    }

    /// Creates the limiter. The limiter connects at its first request, so a program starts while the
    /// server is down.
    ///
    /// The connection runs on the tokio runtime that this method was called in. Outside of a runtime, it
    /// runs on the runtime of the first request.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Redis`] if
    ///
    /// * a URL is not a URL of Redis, or there is none;
    /// * a URL asks for TLS, and the feature `tls` is off, or another URL does not ask for TLS;
    /// * certificates cannot be read, or no URL asks for TLS;
    /// * the URL of a cluster names a database, or the Sentinels' service has no name;
    /// * the prefix has a brace, which would change the cluster slot of the keys;
    /// * the [permit lease](Self::permit_lease) is shorter than 1 s or longer than 24 h.
    pub fn build(self) -> Result<RedisLimiter, ConfigError> {
        if self.prefix.contains(['{', '}']) {
            return Err(ConfigError::Redis("`prefix` has a brace: remove `{` and `}`"));
        }
        if !PERMIT_LEASES.contains(&self.permit_lease) {
            return Err(ConfigError::Redis(
                "`permit_lease` is out of range: set 1 second to 24 hours",
            ));
        }
        let connection = self.servers.connection(&self.access)?;
        let concurrency =
            RedisConcurrency::new(connection.clone(), &self.prefix, self.permit_lease);
        let script = ChargeScript::new(connection, &self.prefix, self.on_request_time)
            .with_separate_calls(self.separate_calls)
            .with_observer(self.observer);
        Ok(RedisLimiter::new(script, self.lease, concurrency, self.network_hasher))
    }
}

impl fmt::Debug for RedisLimiterBuilder {
    /// Omits the URL, because it may hold a password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RedisLimiterBuilder")
            .field("prefix", &self.prefix)
            .field("timeout", &self.access.timeout)
            .field("patience", &self.access.patience)
            .field("lease", &self.lease)
            .field("permit_lease", &self.permit_lease)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permit_lease_is_a_second_to_a_day() {
        let (second, day) = (Duration::from_secs(1), Duration::from_secs(86_400));
        for (lease, is_valid) in [
            (Duration::ZERO, false),
            (Duration::from_nanos(999_999_999), false),
            (second, true),
            (day, true),
            (day + Duration::from_nanos(1), false),
            (Duration::MAX, false),
        ] {
            let built = RedisLimiter::builder("redis://127.0.0.1").permit_lease(lease).build();
            match built {
                Ok(_) => assert!(is_valid, "{lease:?}"),
                Err(error) => {
                    assert!(!is_valid, "{lease:?}");
                    let text = error.to_string();
                    assert!(text.contains("`permit_lease`") && text.contains("set "), "{text}");
                }
            }
        }
    }

    #[test]
    fn errors_and_debug_texts_hold_no_password() {
        let without_tls = (!cfg!(feature = "tls")).then_some("feature `tls`");
        for (url, prefix, fault) in [
            ("redis://127.0.0.1", "a:", None),
            ("redis://ada:secret-word@127.0.0.1:6380/2", "", None),
            ("rediss://ada:secret-word@127.0.0.1", "a:", without_tls),
            ("valkeys://ada:secret-word@127.0.0.1", "a:", without_tls),
            ("rediss://ada:secret-word@127.0.0.1#insecure", "a:", without_tls.or(Some("`#`"))),
            ("redis://ada:secret-word#@127.0.0.1", "a:", Some("`#`")),
            ("http://ada:secret-word@127.0.0.1", "a:", Some("the URL")),
            ("redis://ada:secret-word@127.0.0.1:port", "a:", Some("the URL")),
            ("secret-word", "a:", Some("the URL")),
            ("redis://ada:secret-word@127.0.0.1", "{a}:", Some("`prefix`")),
            ("redis://ada:secret-word@127.0.0.1", "{a:", Some("`prefix`")),
            ("redis://ada:secret-word@127.0.0.1", "a}:", Some("`prefix`")),
        ] {
            let builder = RedisLimiter::builder(url).prefix(prefix);
            let mut said = vec![format!("{builder:?}")];
            match builder.build() {
                Ok(limiter) => {
                    assert_eq!(fault, None, "{url}");
                    said.push(format!("{limiter:?}"));
                    said.push(format!("{:?}", limiter.concurrency()));
                    let prefix = format!("prefix: {prefix:?}");
                    assert!(said.iter().all(|said| said.contains(&prefix)), "{said:?}");
                }
                Err(error) => {
                    let fault = fault.expect(url);
                    assert!(error.to_string().contains(fault), "{url}: {error}");
                    said.push(format!("{error:?} {error}"));
                }
            }
            assert!(said.iter().all(|said| !said.contains("secret-word")), "{said:?}");
        }
    }
}
