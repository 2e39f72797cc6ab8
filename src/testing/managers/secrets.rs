//! Promises on secrets.

use std::time::Duration;

use super::support::{
    BY, FUTURE, PAST, add, add_with, digest, done, entry, exists, find, found, is_not_found,
};
use crate::clock::Timestamp;
use crate::key::{KeyDigest, KeyId, KeyKind, KeyRecordBuilder};
use crate::policy::{KeyPolicy, PolicySubject};
use crate::store::{
    Action, Change, Command, CommandOptions, Difference, KeyManager, KeyState, MOST_VALID_SECRETS,
    ManageError,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) async fn all_256_bits_count(store: &dyn KeyManager) {
    add(store, "bits", "bits").await;
    assert_eq!(found(store, "bits").await.id(), "bits", "the key of the whole digest");
    let whole = *digest("bits").as_bytes();
    for byte in 0..whole.len() {
        let mut other = whole;
        if let Some(byte) = other.get_mut(byte) {
            *byte ^= 0x80;
        }
        let found = done(store.find(&KeyDigest::from_bytes(other)).await, "a lookup");
        assert!(found.is_none(), "a lookup found a key by a digest that differs in byte {byte}");
    }
}

pub(super) async fn one_secret_has_one_key(store: &dyn KeyManager) {
    add(store, "one", "one").await;
    let mut again = super::support::new_key("one-more", "one", |key| key);
    again.digest = digest("one");
    exists(store.add(again, BY).await, "adding a taken secret under a new id");
    let mut again = super::support::new_key("one", "one", |key| key);
    again.digest = digest("another secret");
    exists(store.add(again, BY).await, "adding a new secret under a taken id");
    assert!(find(store, "another secret").await.is_none(), "a failed addition left a secret");
    let failed = done(store.get("one-more").await, "getting a key");
    assert!(failed.is_none(), "a failed addition left a key");
    add(store, "two", "one").await;
    exists(
        store.rotate("two", digest("one"), FUTURE, BY).await,
        "rotating to the secret of another key",
    );
    assert!(found(store, "two").await.expires().is_none(), "a failed rotation set an expiry");
}

pub(super) async fn a_rotated_key_has_two_secrets(store: &dyn KeyManager) {
    add_with(store, "rotated", "rotated", |key| key.expires(FUTURE)).await;
    let until = Timestamp::from_unix_seconds(3_000_000_000);
    let rotated = store.rotate("rotated", digest("rotated 2"), until, BY).await;
    let secrets = done(rotated, "rotating a key").secrets;
    let digests: Vec<KeyDigest> = secrets.iter().map(|secret| secret.digest).collect();
    assert_eq!(
        digests,
        [digest("rotated 2"), digest("rotated")],
        "the secrets of a rotated key, newest first"
    );
    for (secret, expires) in [("rotated 2", FUTURE), ("rotated", until)] {
        let record = found(store, secret).await;
        assert_eq!(
            (record.id().as_str(), record.expires()),
            ("rotated", Some(expires)),
            "the id and the expiry of the key found by `{secret}`"
        );
    }
    // A rotation never extends the expiry of an old secret.
    done(store.rotate("rotated", digest("rotated 3"), FUTURE, BY).await, "rotating a key again");
    let oldest = found(store, "rotated").await.expires();
    assert_eq!(oldest, Some(until), "the expiry of an old secret after another rotation");
    let own = entry(store, "rotated").await.record.expires();
    assert_eq!(own, Some(FUTURE), "the key's own expiry after two rotations");
    done(
        store.rotate("rotated", digest("rotated 4"), PAST, BY).await,
        "rotating a key with an instant in the past",
    );
    // An expired secret is found as expired, or not at all.
    for ended in ["rotated", "rotated 3"] {
        let ended = find(store, ended).await.map(|record| record.expires());
        assert!(
            ended.is_none_or(|expires| expires == Some(PAST)),
            "a secret that a rotation expired has another expiry: {ended:?}"
        );
    }
    let newest = found(store, "rotated 4").await.expires();
    assert_eq!(newest, Some(FUTURE), "the expiry of the newest secret");
    is_not_found(store.rotate("unknown", digest("x"), FUTURE, BY).await, "rotating an unknown key");
}

pub(super) async fn earlier_secrets_end_and_the_newest_works_on(store: &dyn KeyManager) {
    add_with(store, "ended", "ended", |key| key.expires(FUTURE)).await;
    is_not_found(
        store.end_earlier_secrets("unknown", BY).await,
        "ending secrets of an unknown key",
    );
    done(store.end_earlier_secrets("ended", BY).await, "ending no secret");
    assert_eq!(found(store, "ended").await.expires(), Some(FUTURE), "the only secret of a key");
    for secret in ["ended 2", "ended 3"] {
        done(store.rotate("ended", digest(secret), FUTURE, BY).await, "rotating a key");
    }
    let before = done(store.changes(0, 10_000).await, "listing changes").len();
    let key = done(store.end_earlier_secrets("ended", BY).await, "ending the earlier secrets");
    assert_eq!(key, entry(store, "ended").await, "the key that is returned");
    assert_eq!(key.secrets.first().map(|newest| newest.expires), Some(None), "the newest secret");
    assert_eq!(
        found(store, "ended 3").await.expires(),
        Some(FUTURE),
        "the key by its newest secret"
    );
    for secret in ["ended", "ended 2"] {
        let ends = found(store, secret).await.expires();
        assert!(ends.is_some_and(|ends| ends < FUTURE), "`{secret}` works on: {ends:?}");
    }
    let lines = done(store.changes(0, 10_000).await, "listing changes");
    let lines = lines.get(before..).unwrap_or_default();
    let text = |line: &Change| (line.action, line.key.clone(), line.differences.clone());
    let difference = Difference::new("earlier secrets", Some("2 valid".to_owned()), None);
    let expected = (Action::KeyUpdated, Some("ended".to_owned()), vec![difference]);
    assert_eq!(lines.iter().map(text).collect::<Vec<_>>(), [expected], "the line of the trail");
    // What has ended stays as it is.
    let again = done(store.end_earlier_secrets("ended", BY).await, "ending them again");
    assert_eq!(again.secrets, key.secrets, "the secrets after a second time");
}

pub(super) async fn only_keys_that_serve_are_rotated(store: &dyn KeyManager) {
    add_with(store, "dead-revoked", "dead", |key| key.revoked(true)).await;
    add_with(store, "dead-expired", "dead", |key| key.expires(PAST)).await;
    add_with(store, "dead-disabled", "dead", |key| key.disabled(true)).await;
    add(store, "dead-account", "dead-account").await;
    let account = crate::key::Account::builder("dead-account").disabled(true).build();
    done(store.save_account(done(account, "building an account"), BY).await, "saving an account");
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
            matches!(&answer, Err(ManageError::NotActive(actual)) if *actual == state),
            "rotating `{id}` has to fail with `NotActive({state:?})`: {answer:?}"
        );
        assert_eq!(entry(store, id).await, before, "`{id}` after a failed rotation");
        let expires = found(store, id).await.expires();
        assert_eq!(
            expires,
            before.record.expires(),
            "the expiry of `{id}` after a failed rotation"
        );
        let new = find(store, "a new secret of a dead key").await;
        assert!(new.is_none(), "a failed rotation of `{id}` added the new secret");
    }
    // A key before its first instant is active, because it will be valid.
    add_with(store, "dead-early", "dead", |key| key.not_before(FUTURE)).await;
    done(
        store.rotate("dead-early", digest("dead-early 2"), FUTURE, BY).await,
        "rotating a key before its first instant",
    );
}

pub(super) async fn what_holds_for_a_key_holds_for_all_its_secrets(store: &dyn KeyManager) {
    const BOTH: [&str; 2] = ["all", "all 2"];
    add(store, "all", "all").await;
    done(store.rotate("all", digest("all 2"), FUTURE, BY).await, "rotating a key");
    done(store.update("all", Box::new(|key| key.scopes(["read"])), BY).await, "updating a key");
    for secret in BOTH {
        assert!(
            found(store, secret).await.scopes().contains("read"),
            "an update does not apply to `{secret}`"
        );
    }
    let account = crate::key::Account::builder("all").disabled(true).build();
    done(store.save_account(done(account, "building an account"), BY).await, "saving an account");
    for secret in BOTH {
        assert!(
            found(store, secret).await.is_disabled(),
            "a change of the account does not apply to `{secret}`"
        );
    }
    done(store.revoke("all", BY).await, "revoking a key");
    for secret in BOTH {
        assert!(
            found(store, secret).await.is_revoked(),
            "a revocation does not apply to `{secret}`"
        );
    }
    done(store.delete("all", BY).await, "deleting a key");
    for secret in BOTH {
        assert!(find(store, secret).await.is_none(), "a deletion does not apply to `{secret}`");
    }
}

pub(super) async fn uses_are_noted(store: &dyn KeyManager) {
    add(store, "used", "used").await;
    done(store.rotate("used", digest("used 2"), FUTURE, BY).await, "rotating a key");
    for (secret, expected) in [("used", Some("used")), ("used 2", Some("used")), ("unknown", None)]
    {
        let secret = digest(secret);
        let id = done(store.id_of(&secret).await, "asking whose key a secret is");
        let id = id.as_ref().map(KeyId::as_str);
        assert_eq!(id, expected, "the id of the key of a secret");
    }
    // Neither was what asked.
    assert_eq!(entry(store, "used").await.last_used(), None, "the last use of an unused key");
    let at = Timestamp::from_unix_seconds;
    let uses = vec![(digest("used"), at(100)), (digest("unknown"), at(100))];
    done(store.note_uses(uses).await, "recording uses");
    done(store.note_uses(vec![(digest("used"), at(50))]).await, "recording an earlier use");
    let recorded: Vec<_> =
        entry(store, "used").await.secrets.iter().map(|secret| secret.last_used).collect();
    assert_eq!(recorded, [None, Some(at(100))], "the last use of each secret, newest secret first");
}

pub(super) async fn no_rotation_keeps_a_secret_beyond_its_longest_life(store: &dyn KeyManager) {
    let subject = PolicySubject::Kind(done(KeyKind::new("bounded"), "making the name of a kind"));
    let policy = KeyPolicy::builder(subject.clone()).longest_life(365 * DAY).build();
    let policy = Command::SavePolicy(done(policy, "building a policy"));
    done(store.apply(policy, CommandOptions::by(BY)).await, "saving a policy");
    add_with(store, "bounded", "bounded", |key| key.expires(PAST)).await;
    let created = entry(store, "bounded").await.created;
    let ends = created.plus(365 * DAY);
    let change = move |key: KeyRecordBuilder| key.kind("bounded").expires(ends);
    done(store.update("bounded", Box::new(change), BY).await, "an expiry that is allowed");

    let rotate = |secret, until| store.rotate("bounded", digest(secret), until, BY);
    let within = created.plus(7 * DAY);
    done(rotate("bounded 2", within).await, "rotating with an overlap that is allowed");
    let first = entry(store, "bounded").await.secrets.into_iter().nth(1);
    let first = first.and_then(|secret| secret.expires);
    assert_eq!(first, Some(within), "an overlap within the longest life stays as it is");
    done(rotate("bounded 3", FUTURE).await, "rotating with an overlap that is too long");
    let secrets = entry(store, "bounded").await.secrets;
    let second = secrets.get(1).and_then(|secret| Some((secret.created, secret.expires?)));
    assert!(
        second.is_some_and(|(made, expires)| expires <= made.plus(365 * DAY)),
        "the earlier secret ends with its own life: {secrets:?}"
    );
    done(
        store.apply(Command::DeletePolicy(subject), CommandOptions::by(BY)).await,
        "deleting a policy",
    );
}

pub(super) async fn a_key_has_at_most_eight_valid_secrets(store: &dyn KeyManager) {
    add(store, "eight", "eight").await;
    let rotate = async |number: usize, until: Timestamp| {
        store.rotate("eight", digest(&format!("eight {number}")), until, BY).await
    };
    for number in 2..=MOST_VALID_SECRETS {
        done(rotate(number, FUTURE).await, "rotating a key with an overlap");
    }
    let answer = rotate(9, FUTURE).await;
    assert!(
        matches!(answer, Err(ManageError::TooManySecrets(MOST_VALID_SECRETS))),
        "a ninth valid secret has to fail with `TooManySecrets`: {answer:?}"
    );
    assert!(find(store, "eight 9").await.is_none(), "a refused rotation added the new secret");
    let kept = entry(store, "eight").await.secrets.len();
    assert_eq!(kept, MOST_VALID_SECRETS, "the secrets after a refused rotation");
    done(rotate(10, PAST).await, "rotating a key with eight secrets without an overlap");
    done(rotate(11, FUTURE).await, "rotating a key whose earlier secrets have ended");
}
