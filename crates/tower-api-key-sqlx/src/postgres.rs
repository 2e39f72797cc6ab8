//! PostgreSQL: from a URL to a pool of connections.

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

/// Reads the URL. Connections are made when they are needed.
pub(super) fn open(url: &str, settings: &Settings) -> Result<Arc<dyn Pool>, StoreError> {
    let options = PgConnectOptions::from_str(url).map_err(failed)?;
    let pool = PgPoolOptions::new()
        .max_connections(settings.max_connections)
        .acquire_timeout(settings.pool_timeout())
        // A round trip less for each lookup; a connection that broke is replaced when it fails.
        .test_before_acquire(false)
        .connect_lazy_with(options);
    Ok(Arc::new(Lender::new(pool, settings.lookup_timeout)))
}
