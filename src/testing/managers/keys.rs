//! Promises on keys: stored records, deletions and additions.

use std::time::Duration;

use super::support::{
    BY, FUTURE, add, add_with, digest, done, entry, exists, find, form, found, is_not_found,
    new_key,
};
use crate::clock::Timestamp;
use crate::key::KeyRecordBuilder;
use crate::quota::{Algorithm, OnLimiterFailure, Per, Quota};
use crate::store::{KeyFilter, KeyManager};

fn everything(key: KeyRecordBuilder) -> KeyRecordBuilder {
    let window = Duration::from_secs(60);
    key.owner("ada")
        .kind("partner")
        .environment("sandbox")
        .audience("billing")
        .form(form())
        .scopes(["read", "write"])
        .networks(["10.0.0.0/8", "2001:db8::/32"])
        .quotas([
            Quota::named("fixed", 1, window).with_failure_choice(OnLimiterFailure::Deny),
            Quota::named("leaky", 2, window)
                .with_algorithm(Algorithm::LeakyBucket)
                .with_per(Per::Key),
            Quota::named("sliding", 3, window).with_algorithm(Algorithm::SlidingWindow),
            Quota::by_month("month", 4).in_shadow(),
        ])
        .not_before(Timestamp::from_unix_nanoseconds(1_000_000_000_000_000_001))
        .expires(FUTURE)
        .disabled(true)
        .name("a \"name\" with é")
        .description("what it is for")
        .metadata("team", "blue")
        .metadata("empty", "")
}

/// The check protects keys that are in the store by mistake.
pub(super) async fn the_store_is_empty(store: &dyn KeyManager) {
    let keys = done(store.list(&KeyFilter::default(), None, 1).await, "listing keys");
    let accounts = done(store.list_accounts(None, 1).await, "listing accounts");
    assert!(
        keys.is_empty() && accounts.is_empty(),
        "the tests need an empty store, and this one has keys or accounts"
    );
}

pub(super) async fn everything_set_comes_back(store: &dyn KeyManager) {
    let key = new_key("everything", "everything", everything);
    let record = key.record.clone();
    done(store.add(key, BY).await, "adding a key");
    assert_eq!(entry(store, "everything").await.record, record, "the record found by its id");
    assert_eq!(*found(store, "everything").await, record, "the record found by its secret");
    let plain = |key: KeyRecordBuilder| {
        key.inherit_scopes()
            .inherit_quotas()
            .any_network()
            .never_expires()
            .disabled(false)
            .without_metadata("team")
            .without_audience()
    };
    let before = entry(store, "everything").await;
    let updated =
        done(store.update("everything", Box::new(plain), BY).await, "updating a key").record;
    let after = entry(store, "everything").await;
    assert_eq!(
        (after.created, after.secrets),
        (before.created, before.secrets),
        "the time of creation and the secrets after an update"
    );
    let inherits = updated.own_scopes().is_none() && updated.own_quotas().is_none();
    assert!(inherits, "an update did not remove own scopes and quotas");
    assert!(updated.audience().is_none(), "an update did not remove the audience");
    assert_eq!(updated.form(), record.form(), "the form after an update");
    let unbounded = updated.networks().is_none() && updated.expires().is_none();
    assert!(unbounded, "an update did not remove the networks and the expiry");
    assert!(!updated.is_disabled(), "an update did not enable the key");
    let metadata = (updated.metadata("team"), updated.metadata("empty"));
    assert_eq!(metadata, (None, Some("")), "the metadata after an update");
    assert_eq!(updated.owner(), Some("ada"), "the owner after an update");
    assert_eq!(*found(store, "everything").await, updated, "the record found after an update");
}

pub(super) async fn a_deleted_key_stays_deleted(store: &dyn KeyManager) {
    add(store, "deleted", "deleted").await;
    done(store.delete("deleted", BY).await, "deleting a key");
    is_not_found(store.delete("deleted", BY).await, "deleting a deleted key");
    let account = done(store.find_account("deleted").await, "finding an account");
    assert!(account.is_some(), "an account is gone after its last key was deleted");
    is_not_found(store.revoke("deleted", BY).await, "revoking a deleted key");
    let touch = Box::new(|key: KeyRecordBuilder| key.disabled(false));
    is_not_found(store.update("deleted", touch, BY).await, "updating a deleted key");
    let rotated = store.rotate("deleted", digest("deleted 2"), FUTURE, BY).await;
    is_not_found(rotated, "rotating a deleted key");
    done(
        store.note_uses(vec![(digest("deleted"), FUTURE)]).await,
        "recording a use of a deleted key",
    );
    let account = (*super::support::account("deleted")).clone();
    done(store.save_account(account, BY).await, "saving the account");
    for secret in ["deleted", "deleted 2"] {
        assert!(find(store, secret).await.is_none(), "a deleted key is found by `{secret}`");
    }
    assert!(done(store.get("deleted").await, "getting a key").is_none(), "a deleted key is there");
}

pub(super) async fn force_revokes_the_owners_others(store: &dyn KeyManager) {
    let ada = |key: KeyRecordBuilder| key.owner("ada");
    add_with(store, "force-a", "force", ada).await;
    add_with(store, "force-b", "force", ada).await;
    add_with(store, "force-c", "force", |key| key.owner("grace")).await;
    add(store, "force-d", "force").await;
    add_with(store, "force-e", "other-force", ada).await;
    add_with(store, "force-h", "force", |key| key.owner("ada").audience("billing")).await;
    done(
        store.add(new_key("force-f", "force", ada).revoking_others(), BY).await,
        "adding a key that revokes others",
    );
    let taken = new_key("force-a", "force", |key| key.owner("grace")).revoking_others();
    exists(store.add(taken, BY).await, "adding a key that revokes others, under a taken id");
    for (id, revoked) in [
        ("a", true),
        ("b", true),
        ("c", false),
        ("d", false),
        ("e", false),
        ("f", false),
        ("h", false),
    ] {
        let record = found(store, &format!("force-{id}")).await;
        assert_eq!(record.is_revoked(), revoked, "whether `force-{id}` is revoked");
    }
    let new = new_key("force-g", "force", |key| key).revoking_others();
    done(store.add(new, BY).await, "adding a key that revokes others, without an owner");
    let (without_owner, other) = (found(store, "force-d").await, found(store, "force-c").await);
    assert!(without_owner.is_revoked(), "a key without an owner is not revoked by another one");
    assert!(!other.is_revoked(), "a key of another owner is revoked");
}

pub(super) async fn an_import_adds_what_is_new(store: &dyn KeyManager) {
    add_with(store, "import-1", "import", |key| key.name("first")).await;
    let keys = |count: usize| {
        let key = |number| new_key(&format!("import-{number}"), "import", |key| key.name("later"));
        (0..count).map(key).collect::<Vec<_>>()
    };
    assert_eq!(
        done(store.import(keys(50), BY).await, "importing keys"),
        49,
        "imported keys, of 50 with a taken one"
    );
    assert_eq!(
        done(store.import(keys(51), BY).await, "importing keys again"),
        1,
        "imported keys, of 51 with one new"
    );
    assert_eq!(
        done(store.import(Vec::new(), BY).await, "importing no keys"),
        0,
        "imported keys, of none"
    );
    let twice = vec![new_key("import-x", "import", |key| key).revoking_others(); 2];
    assert_eq!(
        done(store.import(twice, BY).await, "importing a key twice"),
        1,
        "imported keys, of two equal ones"
    );
    let mut taken = new_key("import-1", "import", |key| key);
    taken.digest = digest("import-y");
    let keys = vec![taken, new_key("import-y", "import", |key| key)];
    let added = done(store.import(keys, BY).await, "importing a taken id");
    assert_eq!(added, 1, "imported keys, of a taken id and a new key with the same secret");
    assert_eq!(found(store, "import-y").await.id(), "import-y", "the key of a new secret");
    let mut thief = new_key("import-thief", "other-import", |key| key);
    thief.digest = digest("import-1");
    let added = done(store.import(vec![thief], BY).await, "importing a taken secret");
    assert_eq!(added, 0, "imported keys, of one with a taken secret");
    let thief = done(store.get("import-thief").await, "getting a key");
    assert!(thief.is_none(), "a key with a taken secret was imported");
    assert_eq!(
        found(store, "import-1").await.id(),
        "import-1",
        "the key of a taken secret, after an import"
    );
    assert!(!found(store, "import-1").await.is_revoked(), "an import revoked a key");
    assert_eq!(
        found(store, "import-1").await.name(),
        "first",
        "the name of a key that an import skips"
    );
    assert_eq!(found(store, "import-50").await.name(), "later", "the name of an imported key");
}
