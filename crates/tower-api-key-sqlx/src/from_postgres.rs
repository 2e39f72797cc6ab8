//! A store over a pool of PostgreSQL that the application has already.

use std::sync::Arc;

use sqlx::PgPool;

use super::builder::SqlStoreBuilder;
use super::connect::SqlStore;
use super::dialect::Dialect;
use super::loan::Lender;
use tower_api_key::store::StoreError;

impl SqlStore {
    /// Keeps keys in a database that the application is connected to, over its own pool, which
    /// stays open when the store is closed.
    ///
    /// ```no_run
    /// use sqlx::PgPool;
    /// use tower_api_key_sqlx::SqlStore;
    ///
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let pool = PgPool::connect("postgres://localhost/app").await?;
    /// let store = SqlStore::from_postgres(pool.clone()).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`SqlStore::connect`].
    pub async fn from_postgres(pool: PgPool) -> Result<Self, StoreError> {
        SqlStoreBuilder::from_postgres(pool).connect().await
    }
}

impl SqlStoreBuilder {
    /// Starts a store over the application's own pool, of which something is set before it connects.
    pub fn from_postgres(pool: PgPool) -> Self {
        Self::over(Dialect::Postgres, |patience| Arc::new(Lender::handed_in(pool, patience)))
    }
}
