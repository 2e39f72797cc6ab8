//! Opens a store over the application's own pool of SQLite.

use std::sync::Arc;

use sqlx::SqlitePool;

use super::builder::SqlStoreBuilder;
use super::connect::SqlStore;
use super::dialect::Dialect;
use super::loan::Lender;
use tower_api_key::store::StoreError;

impl SqlStore {
    /// Opens a store over a pool of the application. The pool stays open when the store is closed.
    ///
    /// ```
    /// use sqlx::SqlitePool;
    /// use tower_api_key_sqlx::SqlStore;
    ///
    /// # async fn example() -> Result<SqlStore, Box<dyn std::error::Error>> {
    /// let pool = SqlitePool::connect("sqlite:app.db").await?;
    /// let store = SqlStore::from_sqlite(pool.clone()).await?;
    /// # Ok(store) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the errors of [`SqlStore::connect`].
    pub async fn from_sqlite(pool: SqlitePool) -> Result<Self, StoreError> {
        SqlStoreBuilder::from_sqlite(pool).connect().await
    }
}

impl SqlStoreBuilder {
    /// Returns a builder over a pool of the application, to change settings before the store connects.
    pub fn from_sqlite(pool: SqlitePool) -> Self {
        Self::over(Dialect::Sqlite, |terms| Arc::new(Lender::handed_in(pool, terms)))
    }
}
