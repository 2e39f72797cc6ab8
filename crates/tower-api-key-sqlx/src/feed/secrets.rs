//! Reads secrets with their records. Keys of one account share it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use super::super::driver::Columns;
use super::super::row;
use tower_api_key::key::{Account, KeyDigest, KeyRecord};
use tower_api_key::store::{FeedSecret, StoreError};

/// The accounts of one answer, which has one state of each.
#[derive(Default)]
pub(super) struct SecretReader {
    accounts: HashMap<String, Arc<Account>>,
}

impl SecretReader {
    /// Reads the secret of a row, if it has one. A broken row is the error of its secret alone.
    pub(super) fn secret(&mut self, row: &dyn Columns) -> Option<FeedSecret> {
        // No key has a digest that is not 32 bytes long.
        let digest = <[u8; 32]>::try_from(row.bytes("digest").ok().flatten()?).ok()?;
        let digest = KeyDigest::from_bytes(digest);
        let broken = |error: StoreError| {
            // The row may be so broken that its key has no id.
            let id = row.text("id").ok().flatten().unwrap_or_default();
            row::broken_row(id, &error)
        };
        Some(FeedSecret { digest, record: self.record(row).map_err(broken) })
    }

    fn record(&mut self, row: &dyn Columns) -> Result<KeyRecord, StoreError> {
        let account = match self.accounts.entry(row::text(row, "account")?) {
            Entry::Occupied(known) => Arc::clone(known.get()),
            Entry::Vacant(place) => {
                Arc::clone(place.insert(Arc::new(row::account_of_record(row)?)))
            }
        };
        row::record_under(row, account, true)
    }
}

/// Reads the account of a change; `None` if the store has none of its id.
pub(super) fn account(row: &dyn Columns) -> Result<Option<Account>, StoreError> {
    match row::optional(row, "account_id")? {
        Some(id) => row::account_named(row, id).map(Some),
        None => Ok(None),
    }
}
