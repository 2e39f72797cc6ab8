//! Opens PostgreSQL.

use std::str::FromStr;
use std::sync::Arc;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::{PgPool, Postgres};

use super::builder::SqlStoreBuilder;
use super::connect::SqlStore;
use super::dialect::Dialect;
use super::driver::{Pool, driver};
use super::failure::failed;
use super::loan::Lender;
use super::settings::Settings;
use tower_api_key::store::StoreError;

driver!(Postgres, PgRow, remote: true);

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
        Self::over(Dialect::Postgres, |patience| Arc::new(Lender::handed_in(pool, patience)))
    }
}

/// Returns a pool for the URL. It connects when a connection is needed.
pub(super) fn open(url: &str, settings: &Settings) -> Result<Arc<dyn Pool>, StoreError> {
    let options = PgConnectOptions::from_str(url).map_err(failed)?;
    let pool = PgPoolOptions::new()
        .max_connections(settings.max_connections)
        .acquire_timeout(settings.pool_timeout())
        // Saves a round trip per lookup. A broken connection is replaced when a statement fails.
        .test_before_acquire(false)
        .connect_lazy_with(options);
    Ok(Arc::new(Lender::new(pool, settings.lookup_timeout)))
}
