//! Hearing of changes that other processes made.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::{Acquire, ConnectOptions, Connection, Postgres};
use tokio::time::timeout_at;

use super::connect::{SqlStore, after};
use super::failure::{Failure, failed, unreachable};
use super::loan::Lender;
use super::notify::{self, CHANNEL};
use tower_api_key::store::{Invalidation, Invalidations, ManageFuture, StoreError};

/// How long nothing is heard before it is asked whether anybody is still there, unless set.
const QUIET: Duration = Duration::from_secs(10);

/// Hears of every change in a PostgreSQL database, whoever made it; see
/// [`SqlStore::invalidations`].
pub struct SqlInvalidations {
    options: PgConnectOptions,
    timeout: Duration,
    quiet: Duration,
    listener: Option<PgListener>,
    /// One whose connection fell silent. Dropped, it would wait for an answer for good.
    silent: Option<PgListener>,
}

impl SqlStore {
    /// Listens to the changes in the database, over a connection of its own that is made when it is
    /// first asked; `None` for SQLite, which tells nobody.
    ///
    /// ```
    /// use tower_api_key_sqlx::SqlStore;
    ///
    /// # async fn example() -> Result<(), tower_api_key::store::StoreError> {
    /// let database = SqlStore::connect("postgres://localhost/keys").await?;
    /// if let Some(changes) = database.invalidations() {
    ///     let store = tower_api_key::store::Cached::new(database.clone());
    ///     tokio::spawn(store.listen(changes));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn invalidations(&self) -> Option<SqlInvalidations> {
        let pool: &dyn Any = &*self.pool;
        let lender = pool.downcast_ref::<Lender<Postgres>>()?;
        Some(SqlInvalidations {
            options: (*lender.pool.connect_options()).clone(),
            timeout: self.settings.lookup_timeout,
            quiet: QUIET,
            listener: None,
            silent: None,
        })
    }
}

impl SqlInvalidations {
    /// Asks whether the database is still there when nothing was heard for so long, 10 seconds unless
    /// set. A network can lose a connection without a word, and silence is what no change sounds like, too.
    pub fn asking_after(self, quiet: Duration) -> Self {
        Self { quiet, ..self }
    }

    /// Listens over a new connection.
    async fn connect(&mut self) -> Result<(), StoreError> {
        let options = self.options.clone();
        let silent = &mut self.silent;
        let connected = async {
            // Asked for by itself first, for a pool does not say why it has none.
            let mut first = options.connect().await?;
            if let Some(mut silent) = silent.take() {
                // The silent connection is closed here. Its listener has another one to take leave by.
                std::mem::swap((&mut silent).acquire().await?, &mut first);
                drop(first);
            } else {
                first.close().await?;
            }
            let pool = PgPoolOptions::new().max_connections(1).max_lifetime(None);
            let pool = pool.idle_timeout(None).connect_lazy_with(options);
            let mut listener = PgListener::connect_with(&pool).await?;
            // A connection that was lost is to be heard of.
            listener.eager_reconnect(false);
            listener.listen(CHANNEL).await?;
            Ok(listener)
        };
        self.listener = Some(within(self.timeout, connected, |error| unreachable(&error)).await?);
        Ok(())
    }

    /// Waits for word of a change.
    async fn hear(&mut self) -> Result<Invalidation, StoreError> {
        let Some(listener) = &mut self.listener else {
            self.connect().await?;
            // What was said before nobody heard.
            return Ok(Invalidation::Everything);
        };
        loop {
            match tokio::time::timeout(self.quiet, listener.try_recv()).await {
                Ok(Ok(Some(word))) => return Ok(notify::read(word.payload())),
                Ok(Ok(None)) => return Err(StoreError::new("the connection was lost")),
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
            let heard = self.hear().await;
            if heard.is_err() {
                self.listener = None;
            }
            Ok(heard?)
        })
    }
}

/// Waits for the database so long and no longer.
async fn within<T>(
    limit: Duration,
    asked: impl Future<Output = Result<T, sqlx::Error>>,
    told: impl FnOnce(sqlx::Error) -> StoreError,
) -> Result<T, StoreError> {
    match timeout_at(after(limit), asked).await {
        Ok(answer) => answer.map_err(told),
        Err(_) => Err(StoreError::new(Failure::NoAnswer(limit))),
    }
}

impl fmt::Debug for SqlInvalidations {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SqlInvalidations")
    }
}
