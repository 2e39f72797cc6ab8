//! Receives the changes of other processes over PostgreSQL's `LISTEN`.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::{Acquire, ConnectOptions, Connection, Postgres};
use tokio::time::timeout_at;

use super::address::Address;
use super::connect::{SqlStore, after};
use super::failure::{Failure, failed, unreachable};
use super::loan::Lender;
use super::notify::{self, CHANNEL};
use super::own_pool::OwnPool;
use tower_api_key::store::{Invalidation, Invalidations, ManageFuture, StoreError};

/// The default time without a notification after which the connection is tested.
const QUIET: Duration = Duration::from_secs(10);

/// Receives every change of the keys in a PostgreSQL database, from any process; see
/// [`SqlStore::invalidations`].
pub struct SqlInvalidations {
    options: PgConnectOptions,
    timeout: Duration,
    quiet: Duration,
    listener: Option<PgListener>,
    /// A listener whose connection died silently. Dropping it would wait for an answer forever.
    silent: Option<PgListener>,
}

impl SqlStore {
    /// Returns a listener to changes of the keys, for `Cached::listen` of the core. Returns `None`
    /// for SQLite, which has no notifications. The listener opens a connection of its own at its first use.
    ///
    /// ```
    /// use tower_api_key::store::Cached;
    /// use tower_api_key_sqlx::SqlStore;
    ///
    /// # async fn example() -> Result<(), tower_api_key::store::StoreError> {
    /// let database = SqlStore::connect("postgres://localhost/keys").await?;
    /// if let Some(changes) = database.invalidations() {
    ///     let store = Cached::new(database.clone());
    ///     tokio::spawn(store.listen(changes));
    /// }
    /// # Ok(()) }
    /// ```
    pub fn invalidations(&self) -> Option<SqlInvalidations> {
        let pool: &dyn Any = &*self.pool;
        let options = match (&self.listen_url, pool.downcast_ref::<OwnPool<Postgres>>()) {
            (Some(url), _) => Address::read(url).ok()?.options,
            (None, _) if self.settings.behind_pooler => return None,
            (None, Some(own)) => own.options().clone(),
            (None, None) => {
                (*pool.downcast_ref::<Lender<Postgres>>()?.pool.connect_options()).clone()
            }
        };
        Some(SqlInvalidations {
            options,
            timeout: self.settings.lookup_timeout,
            quiet: QUIET,
            listener: None,
            silent: None,
        })
    }
}

impl SqlInvalidations {
    /// Sets after how long without a notification the connection is tested, 10 seconds by default. A network
    /// can lose a connection without a notice, which looks the same as a database without changes.
    pub fn probe_after(self, quiet: Duration) -> Self {
        Self { quiet, ..self }
    }

    /// Listens over a new connection.
    async fn connect(&mut self) -> Result<(), StoreError> {
        let options = self.options.clone();
        let silent = &mut self.silent;
        let connected = async {
            // Connects outside of the pool first, because a pool does not say why it cannot.
            let mut first = options.connect().await?;
            if let Some(mut silent) = silent.take() {
                // The dead connection is closed here. Its listener gets a live one to close cleanly.
                std::mem::swap((&mut silent).acquire().await?, &mut first);
                drop(first);
            } else {
                first.close().await?;
            }
            let pool = PgPoolOptions::new().max_connections(1).max_lifetime(None);
            let pool = pool.idle_timeout(None).connect_lazy_with(options);
            let mut listener = PgListener::connect_with(&pool).await?;
            // A lost connection must be reported, not replaced silently.
            listener.eager_reconnect(false);
            listener.listen(CHANNEL).await?;
            Ok(listener)
        };
        self.listener = Some(within(self.timeout, connected, |error| unreachable(&error)).await?);
        Ok(())
    }

    /// Waits for a notification.
    async fn receive(&mut self) -> Result<Invalidation, StoreError> {
        let Some(listener) = &mut self.listener else {
            self.connect().await?;
            // Changes before the connection was made are unknown.
            return Ok(Invalidation::Everything);
        };
        loop {
            match tokio::time::timeout(self.quiet, listener.try_recv()).await {
                Ok(Ok(Some(received))) => return Ok(notify::read(received.payload())),
                Ok(Ok(None)) => {
                    return Err(StoreError::new("the connection for notifications was lost"));
                }
                Ok(Err(error)) => return Err(failed(error)),
                Err(_) => {
                    let asked = sqlx::query("SELECT 1").execute(&mut *listener);
                    let answered = within(self.timeout, asked, failed).await;
                    if answered.is_err() {
                        self.silent = self.listener.take();
                        return answered.map(|_| Invalidation::Everything);
                    }
                }
            }
        }
    }
}

impl Invalidations for SqlInvalidations {
    fn next(&mut self) -> ManageFuture<'_, Invalidation> {
        Box::pin(async move {
            let received = self.receive().await;
            if received.is_err() {
                self.listener = None;
            }
            Ok(received?)
        })
    }
}

/// Waits for the database until the timeout.
async fn within<T>(
    limit: Duration,
    answer: impl Future<Output = Result<T, sqlx::Error>>,
    convert: impl FnOnce(sqlx::Error) -> StoreError,
) -> Result<T, StoreError> {
    match timeout_at(after(limit), answer).await {
        Ok(answer) => answer.map_err(convert),
        Err(_) => Err(StoreError::new(Failure::NoAnswer(limit))),
    }
}

impl fmt::Debug for SqlInvalidations {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SqlInvalidations")
    }
}
