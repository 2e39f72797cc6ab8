//! Promises on keys: what comes back, what stays away, what is added.

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

/// Nobody's keys are written over by mistake.
pub(super) async fn the_store_is_empty(store: &dyn KeyManager) {
    let keys = done(store.list(&KeyFilter::default(), None, 1).await, "list");
    let accounts = done(store.list_accounts(None, 1).await, "list accounts");
    assert!(keys.is_empty() && accounts.is_empty(), "the suite needs an empty store");
}

pub(super) async fn everything_set_comes_back(store: &dyn KeyManager) {
    let key = new_key("everything", "everything", everything);
    let record = key.record.clone();
    done(store.add(key, BY).await, "add");
    assert_eq!(entry(store, "everything").await.record, record, "by id");
    assert_eq!(*found(store, "everything").await, record, "by secret");
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
    let updated = done(store.update("everything", Box::new(plain), BY).await, "update").record;
    let after = entry(store, "everything").await;
    assert_eq!((after.created, after.secrets), (before.created, before.secrets), "an update");
    assert!(updated.own_scopes().is_none() && updated.own_quotas().is_none());
    assert!(updated.audience().is_none() && updated.form() == record.form());
    assert!(updated.networks().is_none() && updated.expires().is_none());
    assert!(!updated.is_disabled() && updated.metadata("team").is_none());
    assert_eq!((updated.owner(), updated.metadata("empty")), (Some("ada"), Some("")));
    assert_eq!(*found(store, "everything").await, updated);
}

pub(super) async fn a_deleted_key_stays_deleted(store: &dyn KeyManager) {
    add(store, "deleted", "deleted").await;
    done(store.delete("deleted", BY).await, "delete");
    is_not_found(store.delete("deleted", BY).await, "delete again");
    let account = done(store.find_account("deleted").await, "find an account");
    assert!(account.is_some(), "an account stays when its last key goes");
    is_not_found(store.revoke("deleted", BY).await, "revoke what was deleted");
    let touch = Box::new(|key: KeyRecordBuilder| key.disabled(false));
    is_not_found(store.update("deleted", touch, BY).await, "update what was deleted");
    let rotated = store.rotate("deleted", digest("deleted 2"), FUTURE, BY).await;
    is_not_found(rotated, "rotate what was deleted");
    done(store.note_uses(vec![(digest("deleted"), FUTURE)]).await, "note a use");
    let account = (*super::support::account("deleted")).clone();
    done(store.save_account(account, BY).await, "save the account");
    assert!(find(store, "deleted").await.is_none() && find(store, "deleted 2").await.is_none());
    assert!(done(store.get("deleted").await, "get").is_none());
}

pub(super) async fn force_revokes_the_owners_others(store: &dyn KeyManager) {
    let ada = |key: KeyRecordBuilder| key.owner("ada");
    add_with(store, "force-a", "force", ada).await;
    add_with(store, "force-b", "force", ada).await;
    add_with(store, "force-c", "force", |key| key.owner("grace")).await;
    add(store, "force-d", "force").await;
    add_with(store, "force-e", "other-force", ada).await;
    add_with(store, "force-h", "force", |key| key.owner("ada").audience("billing")).await;
    done(store.add(new_key("force-f", "force", ada).revoking_others(), BY).await, "add by force");
    let taken = new_key("force-a", "force", |key| key.owner("grace")).revoking_others();
    exists(store.add(taken, BY).await, "by force, under a taken id");
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
        assert_eq!(record.is_revoked(), revoked, "force-{id}");
    }
    let new = new_key("force-g", "force", |key| key).revoking_others();
    done(store.add(new, BY).await, "by force, without an owner");
    assert!(
        found(store, "force-d").await.is_revoked() && !found(store, "force-c").await.is_revoked()
    );
}

pub(super) async fn an_import_adds_what_is_new(store: &dyn KeyManager) {
    add_with(store, "import-1", "import", |key| key.name("first")).await;
    let keys = |count: usize| {
        let key = |number| new_key(&format!("import-{number}"), "import", |key| key.name("later"));
        (0..count).map(key).collect::<Vec<_>>()
    };
    assert_eq!(done(store.import(keys(50), BY).await, "import"), 49);
    assert_eq!(done(store.import(keys(51), BY).await, "import again"), 1);
    assert_eq!(done(store.import(Vec::new(), BY).await, "import nothing"), 0);
    let twice = vec![new_key("import-x", "import", |key| key).revoking_others(); 2];
    assert_eq!(done(store.import(twice, BY).await, "import the same twice"), 1);
    let mut taken = new_key("import-1", "import", |key| key);
    taken.digest = digest("import-y");
    let keys = vec![taken, new_key("import-y", "import", |key| key)];
    assert_eq!(done(store.import(keys, BY).await, "import a secret after a taken id"), 1);
    assert_eq!(found(store, "import-y").await.id().as_str(), "import-y");
    let mut thief = new_key("import-thief", "other-import", |key| key);
    thief.digest = digest("import-1");
    assert_eq!(done(store.import(vec![thief], BY).await, "import a taken secret"), 0);
    assert!(done(store.get("import-thief").await, "get").is_none());
    assert_eq!(found(store, "import-1").await.id(), "import-1", "a secret stays its key's");
    assert!(!found(store, "import-1").await.is_revoked(), "an import revokes nothing");
    assert_eq!(found(store, "import-1").await.name(), "first", "what is there stays");
    assert_eq!(found(store, "import-50").await.name(), "later");
}
