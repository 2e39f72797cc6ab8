//! Writes batches of usage.

use super::position;
use super::usage_rows::{BatchRows, add_accounts, add_keys, add_months, set_last_uses};
use crate::SqlStore;
use tower_api_key::store::StoreError;
use tower_api_key::usage::{UsageBatch, UsageFuture, UsageSink};

impl UsageSink for SqlStore {
    fn write<'a>(&'a self, batch: &'a UsageBatch) -> UsageFuture<'a, ()> {
        Box::pin(write(self, batch))
    }
}

async fn write(store: &SqlStore, batch: &UsageBatch) -> Result<(), StoreError> {
    let mut session = store.transaction().await?;
    if position::move_to(&mut session, store, batch).await? {
        let rows = BatchRows::of(batch);
        add_keys(&mut session, store, &rows.keys).await?;
        add_months(&mut session, store, &rows).await?;
        set_last_uses(&mut session, store, batch).await?;
        add_accounts(&mut session, store, &rows.accounts).await?;
    }
    session.commit().await
}
