//! What the promises are checked with.

#![allow(clippy::panic)] // A broken promise is told by a panic.

use std::fmt::Debug;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::key::{
    Account, AccountBuilder, KeyDigest, KeyForm, KeyHasher, KeyRecord, KeyRecordBuilder,
    SharedRecord,
};
use crate::store::{KeyEntry, KeyManager, ManageError, NewKey};
pub(super) use crate::testing::outcome::done;

/// Who makes the changes.
pub(super) const BY: &str = "suite";

/// An instant that has passed.
pub(super) const PAST: Timestamp = Timestamp::from_unix_seconds(1_000_000);

/// An instant in the year 2096.
pub(super) const FUTURE: Timestamp = Timestamp::from_unix_seconds(4_000_000_000);

pub(super) fn digest(text: &str) -> KeyDigest {
    KeyHasher::sha256().digest(text.as_bytes())
}

pub(super) fn account(id: &str) -> Arc<Account> {
    Arc::new(done(Account::builder(id).build(), "an account"))
}

/// Makes a key whose secret is its id, and whose account begins with the same word.
pub(super) fn new_key(
    id: &str,
    account_id: &str,
    describe: impl FnOnce(KeyRecordBuilder) -> KeyRecordBuilder,
) -> NewKey {
    let record = describe(KeyRecord::builder(id, account(account_id))).build();
    NewKey::new(digest(id), done(record, "a record"))
}

/// Adds such a key.
pub(super) async fn add(store: &dyn KeyManager, id: &str, account_id: &str) {
    add_with(store, id, account_id, |key| key).await;
}

pub(super) async fn add_with(
    store: &dyn KeyManager,
    id: &str,
    account_id: &str,
    describe: impl FnOnce(KeyRecordBuilder) -> KeyRecordBuilder,
) {
    done(store.add(new_key(id, account_id, describe), BY).await, "add");
}

/// Looks a secret up.
pub(super) async fn find(store: &dyn KeyManager, secret: &str) -> Option<SharedRecord> {
    done(store.find(&digest(secret)).await, "a lookup")
}

/// Looks up a secret that has to be there.
pub(super) async fn found(store: &dyn KeyManager, secret: &str) -> SharedRecord {
    match find(store, secret).await {
        Some(record) => record,
        None => panic!("the secret `{secret}` is not found"),
    }
}

/// Returns a key that has to be there.
pub(super) async fn entry(store: &dyn KeyManager, id: &str) -> KeyEntry {
    match done(store.get(id).await, "get") {
        Some(entry) => entry,
        None => panic!("the key `{id}` is not there"),
    }
}

/// Insists that something is not there.
#[track_caller]
#[allow(clippy::needless_pass_by_value)] // It reads as a sentence at each call.
pub(super) fn is_not_found<T: Debug>(answer: Result<T, ManageError>, what: &str) {
    assert!(matches!(answer, Err(ManageError::NotFound)), "{what}: {answer:?}");
}

/// Insists that something is there already.
#[track_caller]
#[allow(clippy::needless_pass_by_value)] // As above.
pub(super) fn exists<T: Debug>(answer: Result<T, ManageError>, what: &str) {
    assert!(matches!(answer, Err(ManageError::Exists)), "{what}: {answer:?}");
}

/// Saves an account.
pub(super) async fn save(
    store: &dyn KeyManager,
    id: &str,
    describe: impl FnOnce(AccountBuilder) -> AccountBuilder,
) {
    let account = done(describe(Account::builder(id)).build(), "an account");
    done(store.save_account(account, BY).await, "save an account");
}

/// The form of a key whose text names the environment `sandbox`.
#[allow(clippy::expect_used)] // It is as it is written.
pub(super) fn form() -> KeyForm {
    "acme_{environment:sandbox}_{base62:24}{checksum}".parse().expect("a form")
}
