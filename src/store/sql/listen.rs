//! Hearing of changes that other processes made.

use std::fmt;
use std::sync::Arc;

use sqlx::postgres::PgListener;

use super::connect::{Dialect, SqlStore};
use super::notify::{self, CHANNEL};
use super::trail::failed;
use crate::store::invalidation::{Invalidation, Invalidations};
use crate::store::manage::{ManageError, Managed};

/// Hears of every change in a PostgreSQL database, whoever made it; see
/// [`SqlStore::invalidations`].
pub struct SqlInvalidations {
    url: Arc<str>,
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
        let url = Arc::clone(&self.url);
        (self.dialect == Dialect::Postgres).then_some(SqlInvalidations { url, listener: None })
    }
}

impl Invalidations for SqlInvalidations {
    fn next(&mut self) -> Managed<'_, Invalidation> {
        Box::pin(async move {
            let Some(listener) = &mut self.listener else {
                self.listener = Some(connect(&self.url).await?);
                // What was said before nobody heard.
                return Ok(Invalidation::Everything);
            };
            match listener.try_recv().await {
                Ok(Some(word)) => Ok(notify::read(word.payload())),
                // The connection was lost.
                Ok(None) => {
                    self.listener = Some(connect(&self.url).await?);
                    Ok(Invalidation::Everything)
                }
                Err(error) => {
                    self.listener = None;
                    Err(failed(error))
                }
            }
        })
    }
}

async fn connect(url: &str) -> Result<PgListener, ManageError> {
    let mut listener = PgListener::connect(url).await.map_err(failed)?;
    listener.listen(CHANNEL).await.map_err(failed)?;
    Ok(listener)
}

impl fmt::Debug for SqlInvalidations {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SqlInvalidations")
    }
}
