//! The ways to servers: clusters, Sentinels, logins and certificates.

use tower_api_key::limits::LimiterError;

use super::builder::RedisLimiterBuilder;
use super::credentials::RedisCredentials;
use super::limiter::RedisLimiter;
use super::servers::Servers;
#[cfg(feature = "tls")]
use super::tls::RedisTls;

impl RedisLimiter {
    /// Starts a builder for a limiter on a Redis Cluster, with the URLs of some of its nodes.
    ///
    /// The limiter finds the other nodes, and calls the primary that has the account. It follows slots that move, and
    /// replicas that take over. Each primary has a breaker of its own: while it is down, only its accounts are refused.
    /// For this, set `cluster-require-full-coverage no` on the servers. Unless set, Redis lets all primaries refuse all
    /// calls while one is missing.
    ///
    /// The first URL's user and password are for all nodes. The limiter needs the permissions `+cluster|slots` and
    /// `+cluster|info` as well.
    ///
    /// ```
    /// use tower_api_key_redis::RedisLimiter;
    ///
    /// let nodes = ["redis://10.0.0.7:6379", "redis://10.0.0.8:6379"];
    /// let limiter = RedisLimiter::cluster(nodes).build()?;
    /// # Ok::<(), tower_api_key::ConfigError>(())
    /// ```
    pub fn cluster(urls: impl IntoIterator<Item = impl Into<String>>) -> RedisLimiterBuilder {
        let urls = urls.into_iter().map(Into::into).collect();
        RedisLimiterBuilder::new(Servers::Cluster(urls))
    }

    /// Starts a builder for a limiter on the primary that Sentinels watch, with the URLs of the Sentinels and the name
    /// of the service, which is the name in `sentinel monitor`.
    ///
    /// The limiter asks all Sentinels, and follows the one that knows the latest failover. It asks again when the primary
    /// fails, and every second.
    ///
    /// The URLs' user and password are those of the Sentinels. Set the servers' with
    /// [`credentials`](RedisLimiterBuilder::credentials). The number of a database in the first URL is the servers'. A
    /// URL with `rediss://` asks for TLS at the Sentinels and at the servers.
    ///
    /// ```
    /// use tower_api_key_redis::{RedisCredentials, RedisLimiter};
    ///
    /// let sentinels = ["redis://10.0.0.7:26379", "redis://10.0.0.8:26379", "redis://10.0.0.9:26379"];
    /// let limiter = RedisLimiter::sentinel(sentinels, "limits")
    ///     .credentials(RedisCredentials::password_file("/run/secrets/redis"))
    ///     .build()?;
    /// # Ok::<(), tower_api_key::ConfigError>(())
    /// ```
    pub fn sentinel(
        urls: impl IntoIterator<Item = impl Into<String>>,
        service: impl Into<String>,
    ) -> RedisLimiterBuilder {
        let urls = urls.into_iter().map(Into::into).collect();
        RedisLimiterBuilder::new(Servers::Sentinel(urls, service.into()))
    }

    /// Connects now, and returns an error that says what is wrong. Without this call the limiter connects at its first
    /// request.
    ///
    /// Call it when the program starts, to stop there or to log the error. The limiter goes on to try in any case.
    ///
    /// ```no_run
    /// # use tower_api_key_redis::RedisLimiter;
    /// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
    /// let limiter = RedisLimiter::open("redis://10.0.0.7")?;
    /// limiter.check().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`LimiterError`] if
    ///
    /// * a server cannot be reached, or refuses the login;
    /// * the URL leads to one node of a cluster, or to a Sentinel, and the limiter is not built for it;
    /// * a server is too far away: five sixths of the [timeout](RedisLimiterBuilder::timeout) are shorter than a ping.
    pub async fn check(&self) -> Result<(), LimiterError> {
        self.connection().check().await.map_err(LimiterError::new)
    }
}

impl RedisLimiterBuilder {
    /// Sets the user and password, which are the URL's unless set. They are read again for each new connection, so a
    /// password can be rotated.
    ///
    /// In a cluster they are for all nodes. With [`RedisLimiter::sentinel`] they are for the servers, and the URLs have
    /// those of the Sentinels.
    pub fn credentials(mut self, credentials: RedisCredentials) -> Self {
        self.access.credentials = Some(credentials);
        self
    }

    /// Makes a call for each request. Unless set, requests that come while a call is under way share the next one, if the
    /// server says that it stands alone. A call has the keys of up to 32 accounts then.
    ///
    /// Set it for a proxy that spreads keys over several servers, and lets one of them answer `HELLO`. Most such proxies
    /// do not answer `HELLO`, or refuse a call with the keys of two servers. They need no setting.
    pub fn separate_calls(mut self) -> Self {
        self.separate_calls = true;
        self
    }

    /// Sets the certificates of connections with TLS, which URLs with `rediss://` ask for. Unless set, the limiter
    /// trusts the certificate authorities of the operating system.
    #[cfg(feature = "tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    pub fn tls(mut self, tls: RedisTls) -> Self {
        self.access.tls = Some(tls);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contradictions_of_servers_are_found() {
        let sentinel = |urls: &[&'static str]| RedisLimiter::sentinel(urls.to_vec(), "limits");
        let none: [&str; 0] = [];
        for (builder, fault) in [
            (RedisLimiter::cluster(none), Some("there is no URL")),
            (RedisLimiter::cluster(["redis://a", "redis://b:7000"]), None),
            (RedisLimiter::cluster(["redis://a", "redis://b/1"]), Some("database 0 only")),
            (RedisLimiter::cluster(["unix:///a"]), Some("Unix socket")),
            (RedisLimiter::cluster(["redis://a", "nonsense"]), Some("not one of Redis")),
            (sentinel(&["redis://a/1"]), None),
            (sentinel(&[]), Some("there is no URL")),
            (sentinel(&["unix:///a"]), Some("Unix socket")),
            (RedisLimiter::sentinel(["redis://a"], ""), Some("service is empty")),
        ] {
            match (builder.build(), fault) {
                (Ok(_), None) => {}
                (Err(error), Some(fault)) => assert!(error.to_string().contains(fault), "{error}"),
                (built, fault) => panic!("{built:?}, {fault:?}"),
            }
        }
    }
}
