//! The promise on the bound of an owner's keys.

use super::support::{BY, FUTURE, PAST, add_with, done, new_key};
use crate::key::KeyRecordBuilder;
use crate::store::{Applied, Command, CommandOptions, KeyManager, KeyUpdate, ManageError};

#[track_caller]
#[allow(clippy::needless_pass_by_value)] // An answer is checked once, where it was made.
fn is_one_too_many(answer: Result<Applied, ManageError>, what: &str) {
    assert!(
        matches!(answer, Err(ManageError::TooManyKeys(2))),
        "{what} has to fail with `TooManyKeys`: {answer:?}"
    );
}

pub(super) async fn an_owner_has_no_more_keys_than_allowed(store: &dyn KeyManager) {
    let by_ada = |key: KeyRecordBuilder| key.owner("ada");
    add_with(store, "most-revoked", "most", |key| by_ada(key).revoked(true)).await;
    add_with(store, "most-expired", "most", |key| by_ada(key).expires(PAST)).await;
    add_with(store, "most-other-owner", "most", |key| key.owner("bob")).await;
    add_with(store, "most-no-owner", "most", |key| key).await;
    add_with(store, "most-other-account", "most-other", by_ada).await;
    add_with(store, "most-1", "most", by_ada).await;
    let two = CommandOptions::by(BY).at_most_keys(2);
    let add = |id| store.apply(Command::Add(new_key(id, "most", by_ada)), two);
    done(add("most-2").await, "adding a second of two keys");
    is_one_too_many(add("most-3").await, "adding a third of two keys");
    let found = done(store.get("most-3").await, "getting a key that was refused");
    assert!(found.is_none(), "a refused key was added");

    let update = |id, change: KeyUpdate| store.apply(Command::Update { id, change }, two);
    done(update("most-1", Box::new(|key| key.name("first"))).await, "renaming one of two keys");
    let revive: KeyUpdate = Box::new(|key| key.expires(FUTURE));
    is_one_too_many(update("most-expired", revive).await, "reviving a third of two keys");
    let give: KeyUpdate = Box::new(|key| key.owner("ada"));
    is_one_too_many(update("most-other-owner", give).await, "giving a third of two keys");
    let kept = done(store.get("most-other-owner").await, "getting a key that was not given");
    let owner = kept.as_ref().and_then(|kept| kept.record.owner());
    assert_eq!(owner, Some("bob"), "the owner after a refused change");
    done(store.revoke("most-2", BY).await, "revoking a key");
    done(add("most-4").await, "adding a key in place of a revoked one");

    // Without an owner, keys count together.
    let one = CommandOptions::by(BY).at_most_keys(1);
    let answer = store.apply(Command::Add(new_key("most-5", "most", |key| key)), one).await;
    assert!(
        matches!(answer, Err(ManageError::TooManyKeys(1))),
        "adding a second key without an owner has to fail with `TooManyKeys`: {answer:?}"
    );
    done(store.apply(Command::Revoke { id: "most-1" }, one).await, "revoking under a bound");
}
