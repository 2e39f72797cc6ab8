//! Hearing of changes that other processes made.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgListener;

use super::connect::{Dialect, SqlStore};
use super::failure::{failed, within};
use super::notify::{self, CHANNEL};
use crate::store::StoreError;
use crate::store::invalidation::{Invalidation, Invalidations};
use crate::store::manage::Managed;

/// How long nothing is heard before it is asked whether anybody is still there, unless set.
const QUIET: Duration = Duration::from_secs(10);

/// Hears of every change in a PostgreSQL database, whoever made it; see
/// [`SqlStore::invalidations`].
pub struct SqlInvalidations {
    url: Arc<str>,
    timeout: Duration,
    quiet: Duration,
    listener: Option<PgListener>,
}

impl SqlStore {
    /// Listens to the changes in the database, over a connection of its own that is made when it is
    /// first asked; `None` for SQLite, which tells nobody.
    ///
    /// ```
    /// use tower_api_key::store::SqlStore;
    ///
    /// # async fn example() -> Result<(), tower_api_key::store::StoreError> {
    /// let database = SqlStore::connect("postgres://localhost/keys").await?;
    /// # #[cfg(feature = "cache")]
    /// if let Some(changes) = database.invalidations() {
    ///     let store = tower_api_key::store::Cached::new(database.clone());
    ///     tokio::spawn(store.listen(changes));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn invalidations(&self) -> Option<SqlInvalidations> {
        (self.dialect == Dialect::Postgres).then(|| SqlInvalidations {
            url: Arc::clone(&self.url),
            timeout: self.timeout,
            quiet: QUIET,
            listener: None,
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
        let connected = async {
            let mut listener = PgListener::connect(&self.url).await?;
            // A connection that was lost is to be heard of.
            listener.eager_reconnect(false);
            listener.listen(CHANNEL).await?;
            Ok(listener)
        };
        self.listener = Some(within(self.timeout, connected).await?);
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
                    within(self.timeout, sqlx::query("SELECT 1").execute(&mut *listener)).await?;
                }
            }
        }
    }
}

impl Invalidations for SqlInvalidations {
    fn next(&mut self) -> Managed<'_, Invalidation> {
        Box::pin(async move {
            let heard = self.hear().await;
            if heard.is_err() {
                self.listener = None;
            }
            Ok(heard?)
        })
    }
}

impl fmt::Debug for SqlInvalidations {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SqlInvalidations")
    }
}
