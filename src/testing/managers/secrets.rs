//! Promises on secrets.

use super::support::{
    BY, FUTURE, PAST, add, add_with, digest, done, entry, exists, find, found, is_not_found,
};
use crate::clock::Timestamp;
use crate::key::KeyDigest;
use crate::store::{KeyManager, KeyState, ManageError};

pub(super) async fn all_256_bits_count(store: &dyn KeyManager) {
    add(store, "bits", "bits").await;
    assert_eq!(found(store, "bits").await.id(), "bits");
    let whole = *digest("bits").as_bytes();
    for byte in 0..whole.len() {
        let mut other = whole;
        if let Some(byte) = other.get_mut(byte) {
            *byte ^= 0x80;
        }
        let found = done(store.find(&KeyDigest::from_bytes(other)).await, "a lookup");
        assert!(found.is_none(), "a digest that differs in byte {byte} is found");
    }
}

pub(super) async fn one_secret_has_one_key(store: &dyn KeyManager) {
    add(store, "one", "one").await;
    let mut again = super::support::new_key("one-more", "one", |key| key);
    again.digest = digest("one");
    exists(store.add(again, BY).await, "the same secret for another id");
    let mut again = super::support::new_key("one", "one", |key| key);
    again.digest = digest("another secret");
    exists(store.add(again, BY).await, "the same id with another secret");
    assert!(find(store, "another secret").await.is_none(), "nothing of a failed change stays");
    assert!(done(store.get("one-more").await, "get").is_none(), "nothing of a failed change stays");
    add(store, "two", "one").await;
    exists(store.rotate("two", digest("one"), FUTURE, BY).await, "another key's secret");
    assert!(found(store, "two").await.expires().is_none(), "a failed rotation ends nothing");
}

pub(super) async fn a_rotated_key_has_two_secrets(store: &dyn KeyManager) {
    add_with(store, "rotated", "rotated", |key| key.expires(FUTURE)).await;
    let until = Timestamp::from_unix_seconds(3_000_000_000);
    let rotated = store.rotate("rotated", digest("rotated 2"), until, BY).await;
    let secrets = done(rotated, "rotate").secrets;
    let digests: Vec<KeyDigest> = secrets.iter().map(|secret| secret.digest).collect();
    assert_eq!(digests, [digest("rotated 2"), digest("rotated")], "the newest first");
    for (secret, expires) in [("rotated 2", FUTURE), ("rotated", until)] {
        let record = found(store, secret).await;
        assert_eq!(
            (record.id().as_str(), record.expires()),
            ("rotated", Some(expires)),
            "{secret}"
        );
    }
    // An old secret never serves longer than it would have.
    done(store.rotate("rotated", digest("rotated 3"), FUTURE, BY).await, "rotate again");
    assert_eq!(found(store, "rotated").await.expires(), Some(until));
    assert_eq!(entry(store, "rotated").await.record.expires(), Some(FUTURE), "the key's own");
    done(store.rotate("rotated", digest("rotated 4"), PAST, BY).await, "end the others now");
    // What has ended is kept as expired, or not at all.
    for ended in ["rotated", "rotated 3"] {
        let ended = find(store, ended).await.map(|record| record.expires());
        assert!(ended.is_none_or(|expires| expires == Some(PAST)), "{ended:?}");
    }
    assert_eq!(found(store, "rotated 4").await.expires(), Some(FUTURE));
    is_not_found(store.rotate("nobody", digest("x"), FUTURE, BY).await, "rotate nobody's key");
}

pub(super) async fn only_keys_that_serve_are_rotated(store: &dyn KeyManager) {
    add_with(store, "dead-revoked", "dead", |key| key.revoked(true)).await;
    add_with(store, "dead-expired", "dead", |key| key.expires(PAST)).await;
    add_with(store, "dead-disabled", "dead", |key| key.disabled(true)).await;
    add(store, "dead-account", "dead-account").await;
    let account = crate::key::Account::builder("dead-account").disabled(true).build();
    done(store.save_account(done(account, "an account"), BY).await, "save an account");
    for (id, state) in [
        ("dead-revoked", KeyState::Revoked),
        ("dead-expired", KeyState::Expired),
        ("dead-disabled", KeyState::Disabled),
        ("dead-account", KeyState::Disabled),
    ] {
        let before = entry(store, id).await;
        let new = digest("a new secret of a dead key");
        let answer = store.rotate(id, new, FUTURE, BY).await;
        assert!(
            matches!(&answer, Err(ManageError::NotActive(told)) if *told == state),
            "{id}: {answer:?}"
        );
        assert_eq!(entry(store, id).await, before, "{id}: nothing was changed");
        assert_eq!(found(store, id).await.expires(), before.record.expires(), "{id}");
        assert!(find(store, "a new secret of a dead key").await.is_none(), "{id}");
    }
    // One whose time is to come serves then.
    add_with(store, "dead-early", "dead", |key| key.not_before(FUTURE)).await;
    done(store.rotate("dead-early", digest("dead-early 2"), FUTURE, BY).await, "rotate");
}

pub(super) async fn what_holds_for_a_key_holds_for_all_its_secrets(store: &dyn KeyManager) {
    const BOTH: [&str; 2] = ["all", "all 2"];
    add(store, "all", "all").await;
    done(store.rotate("all", digest("all 2"), FUTURE, BY).await, "rotate");
    done(store.update("all", Box::new(|key| key.scopes(["read"])), BY).await, "update");
    for secret in BOTH {
        assert!(found(store, secret).await.scopes().contains("read"), "an update, {secret}");
    }
    let account = crate::key::Account::builder("all").disabled(true).build();
    done(store.save_account(done(account, "an account"), BY).await, "save an account");
    for secret in BOTH {
        assert!(found(store, secret).await.is_disabled(), "an account's change, {secret}");
    }
    done(store.revoke("all", BY).await, "revoke");
    for secret in BOTH {
        assert!(found(store, secret).await.is_revoked(), "a revocation, {secret}");
    }
    done(store.delete("all", BY).await, "delete");
    for secret in BOTH {
        assert!(find(store, secret).await.is_none(), "a deletion, {secret}");
    }
}

pub(super) async fn uses_are_noted(store: &dyn KeyManager) {
    add(store, "used", "used").await;
    done(store.rotate("used", digest("used 2"), FUTURE, BY).await, "rotate");
    assert_eq!(entry(store, "used").await.last_used(), None);
    let at = Timestamp::from_unix_seconds;
    let uses = vec![(digest("used"), at(100)), (digest("nobody's"), at(100))];
    done(store.note_uses(uses).await, "note uses");
    done(store.note_uses(vec![(digest("used"), at(50))]).await, "note an earlier use");
    let noted: Vec<_> =
        entry(store, "used").await.secrets.iter().map(|secret| secret.last_used).collect();
    assert_eq!(noted, [None, Some(at(100))], "of each secret, and never an earlier one");
}
