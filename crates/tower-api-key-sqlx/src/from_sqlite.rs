//! A store over a pool of SQLite that the application has already.

use std::sync::Arc;

use sqlx::SqlitePool;

use super::builder::SqlStoreBuilder;
use super::connect::SqlStore;
use super::dialect::Dialect;
use super::loan::Lender;
use tower_api_key::store::StoreError;

impl SqlStore {
    /// Keeps keys in a database that the application has opened, over its own pool, which
    /// stays open when the store is closed.
    ///
    /// ```
    /// use sqlx::SqlitePool;
    /// use tower_api_key_sqlx::SqlStore;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let pool = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1);
    /// # let pool: SqlitePool = pool.connect("sqlite::memory:").await?;
    /// let store = SqlStore::from_sqlite(pool.clone()).await?; // pool: SqlitePool
    /// # let _ = store;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`SqlStore::connect`].
    pub async fn from_sqlite(pool: SqlitePool) -> Result<Self, StoreError> {
        SqlStoreBuilder::from_sqlite(pool).connect().await
    }
}

impl SqlStoreBuilder {
    /// Starts a store over the application's own pool, of which something is set before it connects.
    pub fn from_sqlite(pool: SqlitePool) -> Self {
        Self::over(Dialect::Sqlite, |patience| Arc::new(Lender::handed_in(pool, patience)))
    }
}
