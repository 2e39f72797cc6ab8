//! Grants for the unit tests of a handler.

#![allow(clippy::panic)] // A test that describes no valid record ends here.

use crate::decision::Grant;
use crate::key::{Account, InvalidRecord, KeyRecord, SharedRecord};

/// Makes a grant for a key of this account with these scopes, to call a handler in a unit test. The key's
/// id is `key_1`.
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
/// If the account's id or a scope is not valid.
pub fn grant<S: AsRef<str>>(account: &str, scopes: impl IntoIterator<Item = S>) -> Grant {
    let record = || -> Result<KeyRecord, InvalidRecord> {
        KeyRecord::builder("key_1", Account::builder(account).build()?).scopes(scopes).build()
    };
    match record() {
        Ok(record) => grant_for(record),
        Err(invalid) => panic!("{invalid}"),
    }
}

/// Makes a grant for this record, as a gate without limits makes it. The record is not judged: a revoked key
/// gets its grant, too. The handler may [add to the cost](Grant::add_cost).
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
