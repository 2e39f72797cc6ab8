//! Helpers of the checks.

#![allow(clippy::panic)] // A broken promise is reported by a panic.

use std::fmt::Debug;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::key::{
    Account, AccountBuilder, KeyDigest, KeyForm, KeyHasher, KeyRecord, KeyRecordBuilder,
    SharedRecord,
};
use crate::store::{KeyEntry, KeyManager, ManageError, NewKey};
pub(super) use crate::testing::outcome::done;

/// The author of the changes.
pub(super) const BY: &str = "suite";

/// An instant that has passed.
pub(super) const PAST: Timestamp = Timestamp::from_unix_seconds(1_000_000);

/// An instant in the year 2096.
pub(super) const FUTURE: Timestamp = Timestamp::from_unix_seconds(4_000_000_000);

pub(super) fn digest(text: &str) -> KeyDigest {
    KeyHasher::sha256().digest(text.as_bytes())
}

pub(super) fn account(id: &str) -> Arc<Account> {
    Arc::new(done(Account::builder(id).build(), "building an account"))
}

/// Makes a key. Its secret is its id.
pub(super) fn new_key(
    id: &str,
    account_id: &str,
    describe: impl FnOnce(KeyRecordBuilder) -> KeyRecordBuilder,
) -> NewKey {
    let record = describe(KeyRecord::builder(id, account(account_id))).build();
    NewKey::new(digest(id), done(record, "building a record"))
}

/// Adds a key. Its secret is its id.
pub(super) async fn add(store: &dyn KeyManager, id: &str, account_id: &str) {
    add_with(store, id, account_id, |key| key).await;
}

pub(super) async fn add_with(
    store: &dyn KeyManager,
    id: &str,
    account_id: &str,
    describe: impl FnOnce(KeyRecordBuilder) -> KeyRecordBuilder,
) {
    done(store.add(new_key(id, account_id, describe), BY).await, "adding a key");
}

/// Looks up a secret.
pub(super) async fn find(store: &dyn KeyManager, secret: &str) -> Option<SharedRecord> {
    done(store.find(&digest(secret)).await, "a lookup")
}

/// Looks up a secret that the store has to find.
pub(super) async fn found(store: &dyn KeyManager, secret: &str) -> SharedRecord {
    match find(store, secret).await {
        Some(record) => record,
        None => panic!("a lookup by the secret `{secret}` found no key"),
    }
}

/// Returns a key that the store has to have.
pub(super) async fn entry(store: &dyn KeyManager, id: &str) -> KeyEntry {
    match done(store.get(id).await, "getting a key") {
        Some(entry) => entry,
        None => panic!("the store has no key `{id}`"),
    }
}

/// Checks that a change failed because the key or account does not exist.
#[track_caller]
#[allow(clippy::needless_pass_by_value)] // An answer is checked once, where it was made.
pub(super) fn is_not_found<T: Debug>(answer: Result<T, ManageError>, what: &str) {
    assert!(
        matches!(answer, Err(ManageError::NotFound)),
        "{what} has to fail with `NotFound`: {answer:?}"
    );
}

/// Checks that a change failed because a text is not valid.
#[track_caller]
#[allow(clippy::needless_pass_by_value)] // As above.
pub(super) fn is_invalid<T: Debug>(answer: Result<T, ManageError>, what: &str, by: &str) {
    assert!(
        matches!(answer, Err(ManageError::Invalid(_))),
        "{what} by the author {by:?} has to fail with `Invalid`: {answer:?}"
    );
}

/// Checks that a change failed because the key exists already.
#[track_caller]
#[allow(clippy::needless_pass_by_value)] // As above.
pub(super) fn exists<T: Debug>(answer: Result<T, ManageError>, what: &str) {
    assert!(
        matches!(answer, Err(ManageError::Exists)),
        "{what} has to fail with `Exists`: {answer:?}"
    );
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

/// Returns the form of a key's text that names the environment `sandbox`.
#[allow(clippy::expect_used)] // The text is a constant.
pub(super) fn form() -> KeyForm {
    "acme_{environment:sandbox}_{base62:24}{checksum}".parse().expect("the form of a key")
}
