//! Promises on the two digests of a secret.

use super::support::{
    BY, FUTURE, PAST, add, digest, entry, find, name, rehash, secret, step, tail,
};
use crate::clock::Timestamp;
use crate::key::{Account, KeyDigest, KeyRecord};
use crate::store::{Action, KeyState, ManageError, NewSecret, PepperManager};
use crate::testing::outcome::done;

pub(super) async fn a_rehashed_secret_is_one_secret_with_two_digests(store: &dyn PepperManager) {
    add(store, "1", "key", |key| key.expires(FUTURE)).await;
    let used = Timestamp::from_unix_seconds(1_700_000_000);
    done(store.note_uses(vec![(digest("1", "key"), used)]).await, "recording a use");
    let before = secret(store, "key").await;
    assert_eq!(before.pepper, Some(name("1")), "a new key has its pepper");
    assert!(find(store, "2", "key").await.is_none(), "the newer digest is unknown before");
    assert!(rehash(store, step("1", "2", "key")).await, "the secret gets a digest");

    let after = secret(store, "key").await;
    assert_eq!((after.digest, after.pepper), (digest("2", "key"), Some(name("2"))));
    assert_eq!(
        (after.created, after.expires, after.last_used, after.tail),
        (before.created, before.expires, before.last_used, tail()),
        "what a secret keeps"
    );
    let formers: Vec<_> = after.formers.iter().map(|former| former.digest).collect();
    assert_eq!(formers, [digest("1", "key")], "the former digest is listed with the secret");
    for pepper in ["1", "2"] {
        let found = find(store, pepper, "key").await;
        let found = found.map(|record| (record.id().to_string(), record.expires()));
        assert_eq!(found, Some(("key".to_owned(), Some(FUTURE))), "a lookup by pepper {pepper}");
    }
}

pub(super) async fn a_change_holds_for_both_digests(store: &dyn PepperManager) {
    add(store, "1", "key", |key| key).await;
    assert!(rehash(store, step("1", "2", "key")).await, "the secret gets a digest");
    let both = async |check: &str, holds: fn(&KeyRecord) -> bool| {
        for pepper in ["2", "1"] {
            let record = find(store, pepper, "key").await;
            assert!(record.is_some_and(|record| holds(&record)), "{check}, by pepper {pepper}");
        }
    };
    let renamed = store.update("key", Box::new(|key| key.name("job").disabled(true)), BY).await;
    assert_eq!(done(renamed, "updating a key").secrets.len(), 1, "the update lists one secret");
    both("a disabled key is found as such", KeyRecord::is_disabled_itself).await;
    let updated = store.update("key", Box::new(|key| key.disabled(false)), BY).await;
    done(updated, "updating a key");
    both("an enabled key is found as such", |key| !key.is_disabled()).await;
    let account = done(Account::builder("peppers").disabled(true).build(), "an account");
    done(store.save_account(account, BY).await, "saving an account");
    both("a disabled account holds", KeyRecord::is_disabled).await;
    done(store.revoke("key", BY).await, "revoking a key");
    both("a revoked key is found as such", KeyRecord::is_revoked).await;
}

pub(super) async fn a_rotation_ends_both_digests(store: &dyn PepperManager) {
    add(store, "1", "key", |key| key).await;
    assert!(rehash(store, step("1", "2", "key")).await, "the secret gets a digest");
    let new = NewSecret { pepper: Some(name("2")), ..digest("2", "new").into() };
    let rotated = done(store.rotate_to("key", new, FUTURE, BY).await, "rotating a key");
    let digests: Vec<_> = rotated.secrets.iter().map(|secret| secret.digest).collect();
    assert_eq!(digests, [digest("2", "new"), digest("2", "key")], "newest first, each once");
    assert_eq!(rotated.secrets.first().and_then(|new| new.pepper.clone()), Some(name("2")));
    for pepper in ["1", "2"] {
        let found = find(store, pepper, "key").await;
        let ends = found.and_then(|record| record.expires());
        assert_eq!(ends, Some(FUTURE), "the end of the old secret by pepper {pepper}");
    }
    let new = NewSecret::from(digest("2", "newer"));
    done(store.rotate_to("key", new, PAST, BY).await, "rotating a key");
    for pepper in ["1", "2"] {
        if let Some(found) = find(store, pepper, "key").await {
            let has_ended = found.expires().is_some_and(|end| end <= PAST);
            assert!(has_ended, "the old secret by pepper {pepper}");
        }
    }
}

pub(super) async fn a_revoked_or_deleted_key_has_neither_digest(store: &dyn PepperManager) {
    for id in ["revoked", "deleted"] {
        add(store, "1", id, |key| key).await;
    }
    done(store.revoke("revoked", BY).await, "revoking a key");
    assert!(!rehash(store, step("1", "2", "revoked")).await, "a revoked key stays as it is");
    assert!(find(store, "2", "revoked").await.is_none(), "a revoked key has no newer digest");
    assert!(rehash(store, step("1", "2", "deleted")).await, "the secret gets a digest");
    done(store.delete("deleted", BY).await, "deleting a key");
    for pepper in ["1", "2"] {
        let found = find(store, pepper, "deleted").await;
        assert!(found.is_none(), "a deleted key was found by pepper {pepper}");
    }
    for (from, to) in [("1", "2"), ("2", "1")] {
        assert!(!rehash(store, step(from, to, "deleted")).await, "a deleted key is not restored");
    }
    assert!(done(store.get("deleted").await, "getting a key").is_none(), "it stays deleted");
}

pub(super) async fn a_secret_gets_one_digest_however_often_it_is_asked_for(
    store: &dyn PepperManager,
) {
    add(store, "1", "key", |key| key).await;
    let twice = store.rehash(vec![step("1", "2", "key"), step("1", "2", "key")], BY).await;
    assert_eq!(done(twice, "a call with a secret twice"), 1, "two questions give one digest");
    assert!(!rehash(store, step("1", "2", "key")).await, "a repeated call gives no digest");
    assert_eq!(secret(store, "key").await.formers.len(), 1, "one former digest");
    let unknown = rehash(store, step("1", "2", "unknown")).await;
    assert!(!unknown && find(store, "2", "unknown").await.is_none(), "an unknown secret");
    assert_eq!(done(store.rehash(Vec::new(), BY).await, "a call without secrets"), 0);
}

pub(super) async fn a_taken_digest_is_given_to_no_other_secret(store: &dyn PepperManager) {
    for id in ["one", "other"] {
        add(store, "1", id, |key| key).await;
    }
    let taken = crate::store::Rehash { to: digest("1", "other"), ..step("1", "2", "one") };
    assert!(!rehash(store, taken).await, "the digest of another key");
    assert!(rehash(store, step("1", "2", "one")).await, "a digest of its own");
    let owner = async |digest: KeyDigest| {
        let found = done(store.find(&digest).await, "a lookup");
        found.map(|record| record.id().to_string())
    };
    assert_eq!(owner(digest("1", "other")).await.as_deref(), Some("other"));
    // Both digests are those of the key.
    for pepper in ["1", "2"] {
        let rotated = store.rotate("other", digest(pepper, "one"), FUTURE, BY).await;
        assert!(matches!(rotated, Err(ManageError::Exists)), "rotating to a digest of another key");
        assert_eq!(owner(digest(pepper, "one")).await.as_deref(), Some("one"));
    }
}

pub(super) async fn an_old_secret_keeps_its_end(store: &dyn PepperManager) {
    add(store, "1", "key", |key| key).await;
    let new = NewSecret { pepper: Some(name("1")), ..digest("1", "new").into() };
    done(store.rotate_to("key", new, FUTURE, BY).await, "rotating a key");
    assert!(rehash(store, step("1", "2", "key")).await, "the old secret gets a digest");
    let listed = entry(store, "key").await;
    let digests: Vec<_> = listed.secrets.iter().map(|secret| secret.digest).collect();
    assert_eq!(digests, [digest("1", "new"), digest("2", "key")], "the newest secret stays first");
    for pepper in ["1", "2"] {
        let ends = find(store, pepper, "key").await.and_then(|record| record.expires());
        assert_eq!(ends, Some(FUTURE), "the end of the old secret by pepper {pepper}");
    }
    assert!(rehash(store, step("1", "2", "new")).await, "the new secret gets a digest, too");
    let ends = find(store, "2", "new").await.map(|record| record.expires());
    assert_eq!(ends, Some(None), "the new secret has no end");
    let state = entry(store, "key").await.state(PAST);
    assert_eq!(state, KeyState::Active, "the key itself has no end");
}

pub(super) async fn a_step_back_gives_the_former_digest_back(store: &dyn PepperManager) {
    add(store, "1", "key", |key| key).await;
    assert!(rehash(store, step("1", "2", "key")).await, "the secret gets a digest");
    assert!(!rehash(store, step("1", "3", "key")).await, "a former digest leads to no other one");
    assert!(rehash(store, step("2", "1", "key")).await, "the former digest comes back");
    let back = secret(store, "key").await;
    assert_eq!((back.digest, back.pepper), (digest("1", "key"), Some(name("1"))));
    let formers: Vec<_> = back.formers.iter().map(|former| former.digest).collect();
    assert_eq!(formers, [digest("2", "key")], "the other one is the former");
    assert!(rehash(store, step("1", "3", "key")).await, "a third pepper");
    for pepper in ["1", "2", "3"] {
        assert!(find(store, pepper, "key").await.is_some(), "a lookup by pepper {pepper}");
    }
    assert_eq!(secret(store, "key").await.formers.len(), 2, "two former digests");
}

pub(super) async fn each_digest_is_written_to_the_trail(store: &dyn PepperManager) {
    add(store, "1", "key", |key| key).await;
    assert!(rehash(store, step("1", "2", "key")).await, "the secret gets a digest");
    let last = async || {
        let changes = done(store.changes(0, 100).await, "reading the trail");
        changes.into_iter().next_back().map(|change| (change.action, change.key, change.by))
    };
    let line = Some((Action::KeyRehashed, Some("key".to_owned()), BY.to_owned()));
    assert_eq!(last().await, line, "the line of a new digest");
    let forged = store.rehash(vec![step("2", "3", "key")], "eve\nada").await;
    assert!(matches!(forged, Err(ManageError::Invalid(_))), "a forged author: {forged:?}");
    assert!(find(store, "3", "key").await.is_none(), "a refused change changes nothing");
}
