//! Opens PostgreSQL.

use std::sync::Arc;

use sqlx::Postgres;
use sqlx::postgres::PgRow;

use super::address::Address;
use super::driver::{Pool, driver};
use super::own_pool::OwnPool;
use super::settings::{MOST_REMOTE, Settings};
use tower_api_key::store::StoreError;

driver!(Postgres, PgRow, remote: true);

/// Returns a pool for the URL. It connects when a connection is needed.
pub(super) fn open(url: &str, settings: &mut Settings) -> Result<Arc<dyn Pool>, StoreError> {
    let address = Address::read(url)?;
    settings.behind_pooler |= address.behind_pooler;
    let options = address.for_pool(settings);
    let size = settings.max_connections.unwrap_or(MOST_REMOTE);
    let pool = OwnPool::<Postgres>::new(options, settings, size)?;
    pool.close_idle_ones();
    Ok(Arc::new(pool))
}
