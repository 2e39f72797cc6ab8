//! An address, and how the limiter connects and logs in there.

use std::sync::Arc;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo};
use secrecy::ExposeSecret;
use tokio::sync::Semaphore;
use tower_api_key::ConfigError;

use super::address::Address;
use super::credentials::RedisCredentials;
use super::failure::Failure;
#[cfg(feature = "testing")]
use super::stream_source::{self, StreamSource};
#[cfg(feature = "tls")]
use super::tls::RedisTls;

/// The calls that a connection buffers. Further calls wait for room in the buffer.
const LINE: usize = 1024;

/// The reads of passwords and certificates that run at the same time, at most. A read that hangs keeps its thread after
/// the connection was given up, and the runtime has 512 of these threads for the whole program.
const READS: usize = 8;

/// An address, and how the limiter connects and logs in there.
#[derive(Clone)]
pub(super) struct Endpoint {
    info: ConnectionInfo,
    credentials: Option<RedisCredentials>,
    reads: Arc<Semaphore>,
    #[cfg(feature = "tls")]
    tls: Option<RedisTls>,
    #[cfg(feature = "testing")]
    streams: Option<Arc<dyn StreamSource>>,
}

impl Endpoint {
    /// Reads a URL.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Redis`] for a URL that is not of Redis, or asks for TLS without the feature.
    pub(super) fn new(url: &str) -> Result<Self, ConfigError> {
        if cfg!(not(feature = "tls")) && (url.starts_with("rediss:") || url.starts_with("valkeys:"))
        {
            return Err(ConfigError::Redis(
                "the URL asks for TLS: enable the feature `tls` of `tower-api-key-redis`",
            ));
        }
        if url.contains('#') {
            return Err(ConfigError::Redis(
                "the URL has a `#`: remove what follows it; write `%23` in a password",
            ));
        }
        let info = url.into_connection_info().map_err(|_| {
            ConfigError::Redis(
                "the URL is not one of Redis: write `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]`, \
                 `rediss://…` for TLS, or `unix:///PATH`",
            )
        })?;
        Ok(Self {
            info,
            credentials: None,
            reads: Arc::new(Semaphore::new(READS)),
            #[cfg(feature = "tls")]
            tls: None,
            #[cfg(feature = "testing")]
            streams: None,
        })
    }

    /// Replaces the user and password of the URL.
    pub(super) fn with_credentials(mut self, credentials: Option<RedisCredentials>) -> Self {
        self.credentials = credentials;
        self
    }

    /// Counts the reads of passwords and certificates with those of another endpoint.
    pub(super) fn with_reads_of(mut self, other: &Self) -> Self {
        self.reads = Arc::clone(&other.reads);
        self
    }

    /// Sets the certificates of a URL with TLS.
    #[cfg(feature = "tls")]
    pub(super) fn with_tls(mut self, tls: Option<RedisTls>) -> Result<Self, ConfigError> {
        if matches!(self.info.addr(), ConnectionAddr::TcpTls { .. }) {
            let tls = tls.unwrap_or_default();
            tls.check(&self.info)?;
            self.tls = Some(tls);
        } else if tls.is_some() {
            return Err(ConfigError::Redis(
                "`tls` is set, and the URL does not ask for TLS: write `rediss://…`",
            ));
        }
        Ok(self)
    }

    /// Opens streams of a simulation in place of sockets.
    #[cfg(feature = "testing")]
    pub(super) fn with_streams(mut self, streams: Option<Arc<dyn StreamSource>>) -> Self {
        self.streams = streams;
        self
    }

    /// Returns the endpoint of another server, where the limiter logs in the same way.
    pub(super) fn at(&self, (host, port): &Address) -> Self {
        let (host, port) = (host.clone(), *port);
        let address = match self.info.addr() {
            ConnectionAddr::TcpTls { insecure, tls_params, .. } => {
                let (insecure, tls_params) = (*insecure, tls_params.clone());
                ConnectionAddr::TcpTls { host, port, insecure, tls_params }
            }
            _ => ConnectionAddr::Tcp(host, port),
        };
        Self { info: self.info.clone().set_addr(address), ..self.clone() }
    }

    /// Removes what the servers that a Sentinel names do not share with the Sentinel: user and password.
    pub(super) fn without_login(&self) -> Self {
        let database = self.info.redis_settings().db();
        let login = redis::RedisConnectionInfo::default().set_db(database);
        Self { info: self.info.clone().set_redis_settings(login), ..self.clone() }
    }

    /// Leaves out the database, which a Sentinel does not have.
    pub(super) fn without_database(&self) -> Self {
        let login = self.info.redis_settings().clone().set_db(0);
        Self { info: self.info.clone().set_redis_settings(login), ..self.clone() }
    }

    /// Returns the host and port; `None` for a Unix socket.
    pub(super) fn address(&self) -> Option<Address> {
        match self.info.addr() {
            ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
                Some((host.clone(), *port))
            }
            _ => None,
        }
    }

    /// Returns true if the URL asks for TLS.
    pub(super) fn has_tls(&self) -> bool {
        matches!(self.info.addr(), ConnectionAddr::TcpTls { .. })
    }

    /// Returns the number of the database.
    pub(super) fn database(&self) -> i64 {
        self.info.redis_settings().db()
    }

    /// Connects and logs in. The caller limits the time.
    pub(super) async fn connect(&self) -> Result<MultiplexedConnection, Failure> {
        let info = self.prepared().await?;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_pipeline_buffer_size(LINE);
        let client = Client::open(info).map_err(|error| Failure::connecting(&error))?;
        #[cfg(feature = "testing")]
        if let Some(streams) = &self.streams {
            let connected = stream_source::connect(&**streams, &client, &config).await;
            return connected.map_err(|error| Failure::connecting(&error));
        }
        let connected = client.get_multiplexed_async_connection_with_config(&config).await;
        connected.map_err(|error| Failure::connecting(&error))
    }

    /// Returns the address and login with passwords and certificates as they are now.
    async fn prepared(&self) -> Result<ConnectionInfo, Failure> {
        let reads = self.credentials.is_some();
        #[cfg(feature = "tls")]
        let reads = reads || self.tls.is_some();
        if !reads {
            return Ok(self.info.clone());
        }
        let permit = Arc::clone(&self.reads).acquire_owned().await;
        let (permit, endpoint) = (permit.map_err(|_| Failure::RuntimeEnded)?, self.clone());
        let read = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            endpoint.read()
        });
        read.await.unwrap_or(Err(Failure::RuntimeEnded))
    }

    /// Reads passwords and certificates. This may block.
    fn read(&self) -> Result<ConnectionInfo, Failure> {
        let mut info = self.info.clone();
        if let Some(credentials) = &self.credentials {
            let (user, password) = credentials.read()?;
            let mut login = info.redis_settings().clone().set_password(password.expose_secret());
            if let Some(user) = user {
                login = login.set_username(user);
            }
            info = info.set_redis_settings(login);
        }
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            info = tls.apply(info)?;
        }
        Ok(info)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Mutex, mpsc};
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn reads_that_hang_take_few_threads() {
        let begun = Arc::new(AtomicUsize::new(0));
        let (hangs, ends) = mpsc::channel::<()>();
        let (counted, ends) = (Arc::clone(&begun), Mutex::new(ends));
        let credentials = RedisCredentials::from_fn(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            let _ = ends.lock().unwrap().recv();
            Ok(RedisCredentials::password("word"))
        });
        let endpoint = Endpoint::new("redis://127.0.0.1:1").unwrap();
        let endpoint = endpoint.with_credentials(Some(credentials));
        let other = endpoint.at(&("127.0.0.2".to_owned(), 1));
        for _ in 0..READS {
            let _ = tokio::time::timeout(Duration::from_millis(1), endpoint.prepared()).await;
            let _ = tokio::time::timeout(Duration::from_millis(1), other.prepared()).await;
        }
        drop(hangs);
        assert!(endpoint.prepared().await.is_ok(), "a read that ends makes room");
        assert!(begun.load(Ordering::Relaxed) <= READS + 1);
    }
}
