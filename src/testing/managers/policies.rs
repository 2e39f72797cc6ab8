//! Promises on policies: every change obeys them.

use std::time::Duration;

use super::support::{BY, FUTURE, PAST, add, add_with, done, find, new_key};
use crate::clock::Timestamp;
use crate::key::{AccountId, KeyKind, KeyRecordBuilder};
use crate::policy::{KeyPolicy, KeyPolicyBuilder, PolicySubject, PolicyViolation};
use crate::store::{Command, CommandOptions, KeyManager, KeyUpdate, ManageError, NewKey};

/// Fifty years: an instant in the year 2096 is further away, and one in the year 2049 is not.
pub(super) const LIFE: Duration = Duration::from_secs(50 * 365 * 24 * 60 * 60);
const NEAR: Timestamp = Timestamp::from_unix_seconds(2_500_000_000);

pub(super) fn of_account(id: &str) -> PolicySubject {
    PolicySubject::Account(done(AccountId::new(id), "making the id of an account"))
}

pub(super) fn of_kind(name: &str) -> PolicySubject {
    PolicySubject::Kind(done(KeyKind::new(name), "making the name of a kind"))
}

pub(super) fn policy(
    subject: PolicySubject,
    describe: impl FnOnce(KeyPolicyBuilder) -> KeyPolicyBuilder,
) -> KeyPolicy {
    done(describe(KeyPolicy::builder(subject)).build(), "building a policy")
}

pub(super) async fn save_policy(
    store: &dyn KeyManager,
    subject: PolicySubject,
    describe: impl FnOnce(KeyPolicyBuilder) -> KeyPolicyBuilder,
) {
    let saved = Command::SavePolicy(policy(subject, describe));
    done(store.apply(saved, CommandOptions::by(BY)).await, "saving a policy");
}

pub(super) async fn delete_policy(store: &dyn KeyManager, subject: PolicySubject) {
    let deleted = Command::DeletePolicy(subject);
    done(store.apply(deleted, CommandOptions::by(BY)).await, "deleting a policy");
}

/// Checks that a change was refused because of this rule.
#[track_caller]
#[allow(clippy::needless_pass_by_value)] // An answer is checked once, where it was made.
fn breaks<T: std::fmt::Debug>(
    answer: Result<T, ManageError>,
    rule: impl FnOnce(&PolicyViolation) -> bool,
    what: &str,
) {
    let violation = match &answer {
        Err(ManageError::PolicyViolated(violation)) => Some(violation),
        _ => None,
    };
    assert!(
        violation.is_some_and(rule),
        "{what} has to fail with `PolicyViolated` for its rule: {answer:?}"
    );
}

const fn needs_expiry(violation: &PolicyViolation) -> bool {
    matches!(violation, PolicyViolation::ExpiryRequired { .. })
}

const fn lives_too_long(violation: &PolicyViolation) -> bool {
    matches!(violation, PolicyViolation::LivesTooLong { .. })
}

fn has_wrong_scope(violation: &PolicyViolation) -> bool {
    matches!(violation, PolicyViolation::Scope { scope, .. } if scope == "write")
}

const fn is_one_too_many(violation: &PolicyViolation) -> bool {
    matches!(violation, PolicyViolation::TooManyKeys { .. })
}

pub(super) async fn a_new_key_obeys_the_policies(store: &dyn KeyManager) {
    save_policy(store, of_account("strict"), |policy| policy.scopes(["read"])).await;
    save_policy(store, of_kind("strict"), |policy| policy.longest_life(LIFE)).await;
    let add = |id, account, describe: fn(KeyRecordBuilder) -> KeyRecordBuilder| {
        store.add(new_key(id, account, describe), BY)
    };
    breaks(
        add("strict-1", "strict", |key| key.scopes(["read", "write"])).await,
        has_wrong_scope,
        "adding a key with a scope that is not allowed",
    );
    breaks(
        add("strict-1", "strict", |key| key).await,
        |rule| matches!(rule, PolicyViolation::ScopesRequired { .. }),
        "adding a key without scopes of its own",
    );
    breaks(
        add("strict-1", "lax", |key| key.kind("strict")).await,
        needs_expiry,
        "adding a key without an expiry",
    );
    breaks(
        add("strict-1", "lax", |key| key.kind("strict").expires(FUTURE)).await,
        lives_too_long,
        "adding a key that lives too long",
    );
    breaks(
        add("strict-1", "strict", |key| key.kind("strict").scopes(["read"])).await,
        needs_expiry,
        "adding a key that another of its policies forbids",
    );
    assert!(find(store, "strict-1").await.is_none(), "a refused key was added");
    let account = done(store.find_account("strict").await, "finding an account");
    assert!(account.is_none(), "a refused key brought its account");

    let both = add("strict-1", "strict", |key| key.kind("strict").scopes(["read"]).expires(NEAR));
    done(both.await, "adding a key that obeys");
    done(add("strict-2", "lax", |key| key).await, "adding a key that no policy covers");
    delete_policy(store, of_account("strict")).await;
    delete_policy(store, of_kind("strict")).await;
    done(add("strict-3", "strict", |key| key.kind("strict")).await, "adding without policies");
}

pub(super) async fn a_changed_key_obeys_the_policies(store: &dyn KeyManager) {
    add_with(store, "edited", "edited", |key| key.scopes(["write"])).await;
    save_policy(store, PolicySubject::All, |policy| policy.longest_life(LIFE).scopes(["read"]))
        .await;
    let update = |change: fn(KeyRecordBuilder) -> KeyRecordBuilder| -> _ {
        let change: KeyUpdate = Box::new(change);
        store.update("edited", change, BY)
    };
    done(update(|key| key.name("renamed")).await, "renaming a key that broke a rule before");
    breaks(
        update(|key| key.scopes(["read", "write"])).await,
        has_wrong_scope,
        "giving a scope that is not allowed",
    );
    breaks(update(|key| key.expires(FUTURE)).await, lives_too_long, "a late expiry");
    breaks(update(|key| key.kind("other")).await, needs_expiry, "a kind with other rules");
    let kept = done(store.get("edited").await, "getting a key");
    let kept = kept.map(|kept| kept.record).and_then(|kept| kept.own_scopes().cloned());
    let scope = kept.as_ref().is_some_and(|scopes| scopes.contains("write"));
    assert!(scope, "a refused change was made: {kept:?}");
    done(update(|key| key.scopes(["read"])).await, "giving scopes that are allowed");
    done(update(|key| key.expires(NEAR)).await, "giving an expiry that is allowed");
    done(store.revoke("edited", BY).await, "revoking under a policy");
    delete_policy(store, PolicySubject::All).await;
}

pub(super) async fn an_account_has_no_more_keys_than_a_policy_allows(store: &dyn KeyManager) {
    add_with(store, "few-revoked", "few", |key| key.revoked(true)).await;
    add_with(store, "few-expired", "few", |key| key.expires(PAST)).await;
    add_with(store, "few-off", "few", |key| key.disabled(true)).await;
    add(store, "few-other", "few-other").await;
    save_policy(store, PolicySubject::All, |policy| policy.most_keys(2)).await;
    save_policy(store, of_kind("single"), |policy| policy.most_keys(1)).await;
    add(store, "few-1", "few").await;
    let add_one = |id, describe: fn(KeyRecordBuilder) -> KeyRecordBuilder| {
        store.add(new_key(id, "few", describe), BY)
    };
    breaks(add_one("few-2", |key| key).await, is_one_too_many, "adding a third of two keys");
    assert!(find(store, "few-2").await.is_none(), "a refused key was added");
    let update = |id, change: fn(KeyRecordBuilder) -> KeyRecordBuilder| {
        store.update(id, Box::new(change), BY)
    };
    let revived = update("few-expired", |key| key.expires(FUTURE)).await;
    breaks(revived, is_one_too_many, "reviving a third of two keys");
    done(update("few-1", |key| key.name("one of two")).await, "renaming one of two keys");
    done(add_one("few-3", |key| key.expires(PAST)).await, "adding a key that has expired");

    done(update("few-1", |key| key.kind("single")).await, "the first key of a kind");
    let second = update("few-off", |key| key.kind("single")).await;
    breaks(second, is_one_too_many, "a second key of a kind");
    done(store.revoke("few-1", BY).await, "revoking a key");
    done(update("few-off", |key| key.kind("single")).await, "a kind whose key was revoked");
    done(add_one("few-4", |key| key).await, "adding a key in place of a revoked one");
    // The new key takes the place of its owner's others.
    let force = NewKey { revokes_others: true, ..new_key("few-5", "few", |key| key) };
    done(store.add(force, BY).await, "adding a key that revokes the others");
    delete_policy(store, PolicySubject::All).await;
    delete_policy(store, of_kind("single")).await;
}

pub(super) async fn an_import_obeys_the_policies(store: &dyn KeyManager) {
    add(store, "bulk-old", "bulk").await;
    save_policy(store, of_account("bulk"), |policy| policy.most_keys(3)).await;
    save_policy(store, of_kind("bulk"), KeyPolicyBuilder::require_expiry).await;
    let key = |id: &str| new_key(id, "bulk", |key| key);
    let import = |keys: Vec<NewKey>| store.import(keys, BY);
    let four = ["bulk-1", "bulk-2", "bulk-3"].map(key).to_vec();
    breaks(import(four).await, is_one_too_many, "an import with a key too many");
    let lasting = new_key("bulk-2", "other-bulk", |key| key.kind("bulk"));
    breaks(import(vec![key("bulk-1"), lasting]).await, needs_expiry, "an import without an expiry");
    assert!(find(store, "bulk-1").await.is_none(), "a refused import added a key");

    // What is there already is not checked again, and does not count twice.
    let keys = vec![key("bulk-old"), key("bulk-1"), key("bulk-1"), key("bulk-2")];
    assert_eq!(done(import(keys).await, "an import that obeys"), 2, "the keys that were added");
    let gone = new_key("bulk-3", "bulk", |key| key.revoked(true));
    assert_eq!(done(import(vec![gone]).await, "importing a revoked key"), 1, "it does not count");
    delete_policy(store, of_account("bulk")).await;
    delete_policy(store, of_kind("bulk")).await;
}
