//! Helpers of the checks.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::key::{Account, AccountBuilder, KeyDigest, KeyHasher, KeyRecord};
use crate::store::{KeyManager, NewKey};
pub(super) use crate::testing::outcome::done;

/// The author of the changes.
pub(super) const BY: &str = "suite";

/// An instant in the year 2096.
pub(super) const FUTURE: Timestamp = Timestamp::from_unix_seconds(4_000_000_000);

pub(super) fn digest(secret: &str) -> KeyDigest {
    KeyHasher::sha256().digest(secret.as_bytes())
}

/// Makes a key. Its secret is its id.
pub(super) fn new_key(id: &str, account: &str) -> NewKey {
    let account = Arc::new(done(Account::builder(account).build(), "building an account"));
    NewKey::new(digest(id), done(KeyRecord::builder(id, account).build(), "building a record"))
}

/// Adds a key. Its secret is its id.
pub(super) async fn add(store: &dyn KeyManager, id: &str, account: &str) {
    done(store.add(new_key(id, account), BY).await, "adding a key");
}

/// Saves an account.
pub(super) async fn save(
    store: &dyn KeyManager,
    id: &str,
    describe: impl FnOnce(AccountBuilder) -> AccountBuilder,
) {
    let account = done(describe(Account::builder(id)).build(), "building an account");
    done(store.save_account(account, BY).await, "saving an account");
}

/// Adds keys `PREFIX_0` to `PREFIX_(count - 1)` in one import.
pub(super) async fn import(store: &dyn KeyManager, prefix: &str, count: usize) {
    let keys = (0..count).map(|number| new_key(&format!("{prefix}_{number}"), "imported"));
    let added = done(store.import(keys.collect(), BY).await, "importing keys");
    assert_eq!(added, count as u64, "the number of imported keys");
}
