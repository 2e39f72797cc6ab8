//! Grants for the unit tests of a handler.

#![allow(clippy::panic)] // Ends a test that passes an account or a scope that is not valid.

use crate::decision::Grant;
use crate::key::{Account, InvalidRecord, KeyRecord, SharedRecord};

/// Creates a grant with which a unit test calls a handler. Its key has the id `key_1`, and belongs to this
/// account with these scopes.
///
/// ```
/// use tower_api_key::{Denial, Grant, testing};
///
/// fn create_dataset(grant: &Grant, name: &str) -> Result<String, Denial> {
///     grant.require("dataset.write")?;
///     Ok(format!("{}/{name}", grant.account()))
/// }
///
/// let writer = testing::grant("acme", ["dataset.write"]);
/// assert_eq!(create_dataset(&writer, "sales").as_deref(), Ok("acme/sales"));
///
/// let reader = testing::grant("acme", ["dataset.read"]);
/// assert!(matches!(create_dataset(&reader, "sales"), Err(Denial::ScopeMissing { .. })));
/// ```
///
/// # Panics
///
/// If the id of the account or a scope is not valid.
pub fn grant<S: AsRef<str>>(account: &str, scopes: impl IntoIterator<Item = S>) -> Grant {
    let record = || -> Result<KeyRecord, InvalidRecord> {
        KeyRecord::builder("key_1", Account::builder(account).build()?).scopes(scopes).build()
    };
    match record() {
        Ok(record) => grant_for(record),
        Err(invalid) => panic!("{invalid}"),
    }
}

/// Creates a grant for this record, as a gate without limits creates it. The record is not checked, so a
/// revoked key gets a grant, too. The handler can [add to the cost](Grant::add_cost).
///
/// ```
/// use tower_api_key::key::{Account, KeyRecord};
/// use tower_api_key::testing;
///
/// let acme = Account::builder("acme").build()?;
/// let record = KeyRecord::builder("key_7", acme).environment("sandbox").build()?;
/// let grant = testing::grant_for(record);
/// assert_eq!(*grant.key_id(), "key_7");
/// assert!(grant.add_cost(3).is_ok());
/// # Ok::<(), tower_api_key::key::InvalidRecord>(())
/// ```
pub fn grant_for(record: impl Into<SharedRecord>) -> Grant {
    Grant::for_tests(record.into())
}
