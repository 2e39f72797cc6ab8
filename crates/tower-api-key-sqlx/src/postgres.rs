//! Opens PostgreSQL.

use std::sync::Arc;

use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Postgres, SqlStr};

use super::address::Address;
use super::driver::{Answer, CopyParts, Pool, driver};
use super::own_pool::OwnPool;
use super::settings::{MOST_REMOTE, Settings};
use tower_api_key::store::StoreError;

driver!(
    Postgres,
    PgRow,
    remote: true,
    fn copy<'a>(
        connection: &'a mut PgConnection,
        into: SqlStr,
        rows: CopyParts<'a>,
    ) -> Answer<'a, u64> {
        Box::pin(async move {
            let mut copying = connection.copy_in_raw(into.as_str()).await?;
            // The server takes all rows also if it refuses one, and says so at the end.
            for part in rows {
                copying.send(part).await?;
            }
            copying.finish().await
        })
    }
);

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
