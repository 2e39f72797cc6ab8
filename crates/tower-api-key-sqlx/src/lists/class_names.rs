//! The names that tell the classes of a list apart: the environments and kinds of a store's keys.

use std::collections::BTreeSet;

use crate::SqlStore;
use crate::row;
use crate::statement::Statement;
use tower_api_key::store::{KeyFilter, StoreError};

/// The environments and kinds of a store, up to a number that is too large for a list. Each is one step in an index.
const NAMES: &str = "WITH RECURSIVE environments (name) AS \
     (SELECT MIN(environment) FROM {keys} WHERE environment IS NOT NULL UNION ALL \
     SELECT (SELECT MIN(k.environment) FROM {keys} k WHERE k.environment > e.name) \
     FROM environments e WHERE e.name IS NOT NULL), \
     kinds (name) AS (SELECT MIN(kind) FROM {keys} WHERE kind IS NOT NULL UNION ALL \
     SELECT (SELECT MIN(k.kind) FROM {keys} k WHERE k.kind > i.name) \
     FROM kinds i WHERE i.name IS NOT NULL) \
     SELECT * FROM (SELECT CAST(0 AS BIGINT) AS is_kind, name FROM environments WHERE name IS NOT NULL LIMIT 64) e \
     UNION ALL \
     SELECT * FROM (SELECT CAST(1 AS BIGINT) AS is_kind, name FROM kinds WHERE name IS NOT NULL LIMIT 64) i";

/// The environments and kinds of a store's keys, as far as a filter leaves them open.
#[derive(Debug, Default)]
pub(super) struct ClassNames {
    pub(super) environments: BTreeSet<String>,
    pub(super) kinds: BTreeSet<String>,
}

impl ClassNames {
    /// Adds the names that the store has now and that a filter leaves open. Returns true if one of them is new.
    pub(super) async fn grow(
        &mut self,
        store: &SqlStore,
        filter: &KeyFilter,
    ) -> Result<bool, StoreError> {
        if filter.environment.is_some() && filter.kind.is_some() {
            return Ok(false);
        }
        let mut has_grown = false;
        for found in store.read(Statement::made(store.tables.fill(NAMES))).await? {
            let is_kind = row::number(&*found, "is_kind")? != 0;
            let (wanted, names) = if is_kind {
                (&filter.kind, &mut self.kinds)
            } else {
                (&filter.environment, &mut self.environments)
            };
            has_grown |= wanted.is_none() && names.insert(row::text(&*found, "name")?);
        }
        Ok(has_grown)
    }
}
