//! Opens PostgreSQL.

use std::str::FromStr;
use std::sync::Arc;

use sqlx::Postgres;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgRow};

use super::driver::{Pool, driver};
use super::failure::failed;
use super::loan::Lender;
use super::settings::Settings;
use tower_api_key::store::StoreError;

driver!(Postgres, PgRow, remote: true);

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
