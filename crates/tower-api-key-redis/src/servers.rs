//! The servers that the operator names, and the connection to them.

use std::sync::Arc;
use std::time::Duration;

use tower_api_key::ConfigError;

use super::breaker::Breaker;
use super::cluster::Cluster;
use super::connection::Connection;
use super::credentials::RedisCredentials;
use super::dialer::Dialer;
use super::endpoint::Endpoint;
use super::greeting::ServerRole;
use super::home::Home;
use super::link::Link;
use super::sentinels::Sentinels;
#[cfg(feature = "testing")]
use super::stream_source::StreamSource;
#[cfg(feature = "tls")]
use super::tls::RedisTls;

/// The servers that the operator names.
#[derive(Clone)]
pub(super) enum Servers {
    Single(String),
    Cluster(Vec<String>),
    Sentinel(Vec<String>, String),
}

/// How the limiter logs in and calls.
#[derive(Clone)]
pub(super) struct Access {
    pub(super) credentials: Option<RedisCredentials>,
    #[cfg(feature = "tls")]
    pub(super) tls: Option<RedisTls>,
    pub(super) timeout: Duration,
    pub(super) patience: u32,
    #[cfg(feature = "testing")]
    pub(super) streams: Option<Arc<dyn StreamSource>>,
}

impl Servers {
    /// Creates the connection, which connects later.
    pub(super) fn connection(&self, access: &Access) -> Result<Connection, ConfigError> {
        let link = |dialer| {
            let breaker = Breaker::new(access.patience);
            Connection::Single(Arc::new(Link::new(dialer, access.timeout, breaker, Home::here())))
        };
        match self {
            Self::Single(url) => {
                let endpoint = access.endpoint(url)?.with_credentials(access.credentials.clone());
                Ok(link(Dialer::Server(Arc::new(endpoint), ServerRole::Single)))
            }
            Self::Sentinel(urls, service) => {
                if service.is_empty() {
                    return Err(ConfigError::Redis(
                        "the name of the Sentinels' service is empty: write the name in `sentinel monitor`",
                    ));
                }
                let (first, sentinels) = access.endpoints(urls)?;
                let server = first.without_login().with_credentials(access.credentials.clone());
                let sentinels = sentinels.iter().map(Endpoint::without_database).collect();
                Ok(link(Dialer::Primary(Sentinels::new(sentinels, service.clone(), server))))
            }
            Self::Cluster(urls) => {
                let (login, seeds) = access.endpoints(urls)?;
                if seeds.iter().any(|seed| seed.database() != 0) {
                    return Err(ConfigError::Redis(
                        "the URL names a database, and a cluster has database 0 only: remove the number",
                    ));
                }
                let credentials = || access.credentials.clone();
                let seeds = seeds.into_iter().map(|seed| seed.with_credentials(credentials()));
                let (login, seeds) = (login.with_credentials(credentials()), seeds.collect());
                let cluster = Cluster::new(login, seeds, access.timeout, access.patience);
                Ok(Connection::Cluster(cluster))
            }
        }
    }
}

impl Access {
    #[cfg_attr(not(feature = "tls"), allow(clippy::unused_self))]
    fn endpoint(&self, url: &str) -> Result<Endpoint, ConfigError> {
        let endpoint = Endpoint::new(url)?;
        #[cfg(feature = "tls")]
        let endpoint = endpoint.with_tls(self.tls.clone())?;
        #[cfg(feature = "testing")]
        let endpoint = endpoint.with_streams(self.streams.clone());
        Ok(endpoint)
    }

    /// Returns the endpoints of some URLs, and the first one of them, as which the limiter logs in at servers that no
    /// URL names.
    fn endpoints(&self, urls: &[String]) -> Result<(Endpoint, Vec<Endpoint>), ConfigError> {
        let endpoints = urls.iter().map(|url| self.endpoint(url));
        let endpoints = endpoints.collect::<Result<Vec<_>, _>>()?;
        let Some(first) = endpoints.first() else {
            return Err(ConfigError::Redis("there is no URL: write one at least"));
        };
        if endpoints.iter().any(|endpoint| endpoint.address().is_none()) {
            return Err(ConfigError::Redis(
                "a Unix socket leads to one server: write `redis://HOST:PORT` for clusters and Sentinels",
            ));
        }
        if endpoints.iter().any(|endpoint| endpoint.has_tls() != first.has_tls()) {
            return Err(ConfigError::Redis(
                "one URL asks for TLS, and another one does not: write `rediss://` in all of them",
            ));
        }
        let first = first.clone();
        let endpoints = endpoints.into_iter().map(|endpoint| endpoint.with_reads_of(&first));
        let endpoints = endpoints.collect();
        Ok((first, endpoints))
    }
}
