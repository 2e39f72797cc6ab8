//! Reads secrets with their records. Keys of one account share it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use super::super::driver::Columns;
use super::super::json::broken;
use super::super::row;
use tower_api_key::key::{Account, KeyDigest, KeyRecord};
use tower_api_key::store::{FeedSecret, StoreError};

/// The accounts of one answer, which has one state of each.
#[derive(Default)]
pub(super) struct SecretReader {
    accounts: HashMap<String, Arc<Account>>,
}

impl SecretReader {
    /// Reads the secret of a row, if it has one. A broken row is the error of its secret alone, but a digest that
    /// cannot be read is the error of the answer: without it, the reader would miss a key and not know.
    pub(super) fn secret(&mut self, row: &dyn Columns) -> Result<Option<FeedSecret>, StoreError> {
        let Some(digest) = row.bytes("digest").map_err(broken)? else { return Ok(None) };
        // No key has a digest that is not 32 bytes long.
        let Ok(digest) = <[u8; 32]>::try_from(digest) else { return Ok(None) };
        let digest = KeyDigest::from_bytes(digest);
        let broken_record = |error: StoreError| {
            // The row may be so broken that its key has no id.
            let id = row.text("id").ok().flatten().unwrap_or_default();
            row::broken_row(id, row.text("account").ok().flatten(), &error)
        };
        Ok(Some(FeedSecret { digest, record: self.record(row).map_err(broken_record) }))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A row whose digest has a form that sqlx does not read.
    struct Escaped;

    impl Columns for Escaped {
        fn text(&self, _: &str) -> Result<Option<String>, sqlx::Error> {
            Ok(None)
        }

        fn number(&self, _: &str) -> Result<Option<i64>, sqlx::Error> {
            Ok(None)
        }

        fn bytes(&self, column: &str) -> Result<Option<Vec<u8>>, sqlx::Error> {
            Err(sqlx::Error::ColumnNotFound(column.to_owned()))
        }
    }

    #[test]
    fn a_digest_that_cannot_be_read_fails_the_answer() {
        assert!(SecretReader::default().secret(&Escaped).is_err());
    }
}
