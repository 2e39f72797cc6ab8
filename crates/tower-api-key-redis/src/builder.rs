//! Describing a limiter in Redis.

use std::fmt;
use std::time::Duration;

use redis::Client;

use super::breaker::Breaker;
use super::connection::Connection;
use super::lease::Lease;
use super::limiter::RedisLimiter;
use tower_api_key::ConfigError;

/// How long a call may take, unless it is set.
const TIMEOUT: Duration = Duration::from_millis(50);

/// How many calls in a row may fail before no more are made, unless it is set.
const PATIENCE: u32 = 3;

/// What the names of keys begin with, unless it is set.
const PREFIX: &str = "tower-api-key:";

/// Collects what a [`RedisLimiter`] is made of.
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
    url: String,
    prefix: String,
    timeout: Duration,
    patience: u32,
    lease: Option<Lease>,
    on_request_time: bool,
}

impl RedisLimiterBuilder {
    pub(super) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            prefix: PREFIX.to_owned(),
            timeout: TIMEOUT,
            patience: PATIENCE,
            lease: None,
            on_request_time: false,
        }
    }

    /// Sets what the names of all keys in Redis begin with: `tower-api-key:` unless set. Limiters with
    /// the same prefix on the same database count together.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets how long a call may take: 50 ms unless set. After that the limiter fails, and the gate's
    /// [`OnLimiterFailure`](tower_api_key::quota::OnLimiterFailure) decides. A call that was given up may still
    /// be carried out, so a request that is refused for it may have been charged.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets how many calls in a row may fail, 3 unless set, before no more are made: then the limiter
    /// fails at once, and tries in the background whether the server answers again, after 100 ms at
    /// first, and every 2 s at last.
    pub fn patience(mut self, failures: u32) -> Self {
        self.patience = failures;
        self
    }

    /// Takes tokens in advance; without, each request is a round trip. With it a request may wait for a
    /// call that is under way, and then for its own.
    pub fn lease(mut self, lease: Lease) -> Self {
        self.lease = Some(lease);
        self
    }

    /// Counts by the instants of requests rather than by the server's clock, so that a test can drive
    /// the time. Where several processes serve, this would count by whichever clock is ahead.
    #[cfg(feature = "testing")]
    pub fn on_request_time(mut self) -> Self {
        self.on_request_time = true;
        self
    }

    /// Makes the limiter. It connects at its first request, so a server that is down does not keep
    /// a program from starting. Made inside of a tokio runtime, it drives its connection there, else
    /// where its first request is served.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Redis`] if the URL is none of Redis, asks for TLS, which is not supported (a proxy
    /// on this machine does it), or if the prefix has a brace, for which a cluster would look elsewhere.
    pub fn build(self) -> Result<RedisLimiter, ConfigError> {
        if self.url.starts_with("rediss:") || self.url.starts_with("valkeys:") {
            return Err(ConfigError::Redis("TLS is not supported"));
        }
        if self.prefix.contains(['{', '}']) {
            return Err(ConfigError::Redis("the prefix must not contain braces"));
        }
        let client = Client::open(&*self.url).map_err(|_| {
            ConfigError::Redis("the URL must be redis://[USER:PASSWORD@]HOST[:PORT]")
        })?;
        let connection = Connection::new(client, self.timeout, Breaker::new(self.patience));
        Ok(RedisLimiter::new(connection, self.prefix, self.on_request_time, self.lease))
    }
}

impl fmt::Debug for RedisLimiterBuilder {
    /// Leaves the URL out, for it may hold a password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RedisLimiterBuilder")
            .field("prefix", &self.prefix)
            .field("timeout", &self.timeout)
            .field("patience", &self.patience)
            .field("lease", &self.lease)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_used_is_told_without_a_password() {
        for (url, prefix, fault) in [
            ("redis://127.0.0.1", "a:", None),
            ("redis://ada:secret-word@127.0.0.1:6380/2", "", None),
            ("rediss://ada:secret-word@127.0.0.1", "a:", Some("TLS")),
            ("valkeys://ada:secret-word@127.0.0.1", "a:", Some("TLS")),
            ("http://ada:secret-word@127.0.0.1", "a:", Some("the URL")),
            ("redis://ada:secret-word@127.0.0.1:port", "a:", Some("the URL")),
            ("secret-word", "a:", Some("the URL")),
            ("redis://ada:secret-word@127.0.0.1", "{a}:", Some("the prefix")),
            ("redis://ada:secret-word@127.0.0.1", "{a:", Some("the prefix")),
            ("redis://ada:secret-word@127.0.0.1", "a}:", Some("the prefix")),
        ] {
            let builder = RedisLimiterBuilder::new(url).prefix(prefix);
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
