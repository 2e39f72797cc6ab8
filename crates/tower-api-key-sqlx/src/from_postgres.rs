//! Opens a store over the application's own pool of PostgreSQL.

use std::sync::Arc;

use sqlx::PgPool;

use super::builder::SqlStoreBuilder;
use super::connect::SqlStore;
use super::dialect::Dialect;
use super::loan::Lender;
use tower_api_key::store::StoreError;

impl SqlStore {
    /// Opens a store over a pool of the application. The pool stays open when the store is closed.
    ///
    /// ```no_run
    /// use sqlx::PgPool;
    /// use tower_api_key_sqlx::SqlStore;
    ///
    /// # async fn example() -> Result<SqlStore, Box<dyn std::error::Error>> {
    /// let pool = PgPool::connect("postgres://localhost/app").await?;
    /// let store = SqlStore::from_postgres(pool.clone()).await?;
    /// # Ok(store) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the errors of [`SqlStore::connect`].
    pub async fn from_postgres(pool: PgPool) -> Result<Self, StoreError> {
        SqlStoreBuilder::from_postgres(pool).connect().await
    }
}

impl SqlStoreBuilder {
    /// Returns a builder over a pool of the application, to change settings before the store connects.
    pub fn from_postgres(pool: PgPool) -> Self {
        Self::over(Dialect::Postgres, |terms| Arc::new(Lender::handed_in(pool, terms)))
    }
}
