//! Helpers of the checks.

#![allow(clippy::panic)] // A broken promise is reported by a panic.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::key::{
    Account, KeyDigest, KeyHasher, KeyRecord, KeyRecordBuilder, PepperName, SecretTail,
    SharedRecord,
};
use crate::store::{KeyEntry, NewKey, PepperManager, PepperUsage, Rehash, SecretEntry};
use crate::testing::outcome::done;

/// The author of the changes.
pub(super) const BY: &str = "suite";

/// An instant in the year 2096.
pub(super) const FUTURE: Timestamp = Timestamp::from_unix_seconds(4_000_000_000);

/// An instant that has passed.
pub(super) const PAST: Timestamp = Timestamp::from_unix_seconds(1_000_000);

/// Returns the digest of a secret under a pepper of this name.
pub(super) fn digest(pepper: &str, secret: &str) -> KeyDigest {
    KeyHasher::sha256().digest(format!("{pepper} {secret}").as_bytes())
}

pub(super) fn name(pepper: &str) -> PepperName {
    done(PepperName::new(pepper), "naming a pepper")
}

/// Adds a key, whose secret is its id and has a pepper of this name.
pub(super) async fn add(
    store: &dyn PepperManager,
    pepper: &str,
    id: &str,
    describe: impl FnOnce(KeyRecordBuilder) -> KeyRecordBuilder,
) {
    let account = Arc::new(done(Account::builder("peppers").build(), "building an account"));
    let record = done(describe(KeyRecord::builder(id, account)).build(), "building a record");
    let mut key = NewKey::new(digest(pepper, id), record);
    (key.pepper, key.tail) = (Some(name(pepper)), tail());
    done(store.add(key, BY).await, "adding a key");
}

/// The tail of each new secret.
pub(super) fn tail() -> Option<SecretTail> {
    SecretTail::new("tail").ok()
}

/// Describes the step of a secret from one pepper to another.
pub(super) fn step(from: &str, to: &str, secret: &str) -> Rehash {
    Rehash { from: digest(from, secret), to: digest(to, secret), pepper: name(to) }
}

/// Gives a secret a digest by another pepper. Returns true if it got one.
pub(super) async fn rehash(store: &dyn PepperManager, secret: Rehash) -> bool {
    done(store.rehash(vec![secret], BY).await, "giving a secret another digest") == 1
}

/// Looks up a secret by the digest under a pepper.
pub(super) async fn find(
    store: &dyn PepperManager,
    pepper: &str,
    secret: &str,
) -> Option<SharedRecord> {
    done(store.find(&digest(pepper, secret)).await, "a lookup")
}

/// Returns a key that the store has to have.
pub(super) async fn entry(store: &dyn PepperManager, id: &str) -> KeyEntry {
    match done(store.get(id).await, "getting a key") {
        Some(entry) => entry,
        None => panic!("the store has no key `{id}`"),
    }
}

/// Returns the one secret that a key has to have.
pub(super) async fn secret(store: &dyn PepperManager, id: &str) -> SecretEntry {
    let secrets = entry(store, id).await.secrets;
    match <[SecretEntry; 1]>::try_from(secrets) {
        Ok([secret]) => secret,
        Err(others) => panic!("the key `{id}` has one secret, and not {others:?}"),
    }
}

/// Returns the usage of a pepper, without secrets if the store does not list it.
pub(super) async fn usage(store: &dyn PepperManager, pepper: &str) -> PepperUsage {
    let all = done(store.pepper_usage().await, "counting secrets by pepper");
    let pepper = Some(name(pepper));
    let found = all.into_iter().find(|usage| usage.pepper == pepper);
    found.unwrap_or_else(|| PepperUsage::new(pepper))
}
