//! Promises on what still needs a pepper.

use super::support::{BY, FUTURE, PAST, add, digest, name, rehash, secret, step, usage};
use crate::clock::Timestamp;
use crate::store::{NewSecret, PepperManager};
use crate::testing::outcome::done;

pub(super) async fn secrets_are_counted_by_pepper(store: &dyn PepperManager) {
    add(store, "1", "endless", |key| key).await;
    add(store, "1", "ending", |key| key.expires(FUTURE)).await;
    add(store, "2", "other", |key| key).await;
    let counted = usage(store, "1").await;
    assert_eq!((counted.secrets, counted.endless), (2, 1), "the secrets of a pepper");
    assert_eq!((counted.last_end, counted.goes_at()), (Some(FUTURE), None), "their ends");

    assert!(rehash(store, step("1", "2", "endless")).await, "the secret gets a digest");
    let counted = usage(store, "1").await;
    assert_eq!((counted.secrets, counted.endless, counted.rehashed), (1, 0, 1), "one has gone");
    assert_eq!(counted.goes_at(), Some(FUTURE), "the other one has an end");
    let counted = usage(store, "2").await;
    assert_eq!((counted.secrets, counted.endless), (2, 2), "the secrets of the newer pepper");

    let new = NewSecret { pepper: Some(name("3")), ..digest("3", "other").into() };
    done(store.rotate_to("other", new, FUTURE, BY).await, "rotating a key");
    let counted = (usage(store, "2").await.endless, usage(store, "3").await.endless);
    assert_eq!(counted, (1, 1), "a rotated key has an old secret with an end");
    done(store.rotate("other", digest("4", "other"), FUTURE, BY).await, "rotating a key");
    let all = done(store.pepper_usage().await, "counting secrets by pepper");
    let names: Vec<_> = all.iter().map(|usage| usage.pepper.clone()).collect();
    let expected = [None, Some(name("1")), Some(name("2")), Some(name("3"))];
    assert_eq!(names, expected, "the pepper without a name comes first");
}

pub(super) async fn what_has_ended_needs_no_pepper(store: &dyn PepperManager) {
    add(store, "1", "expired", |key| key.expires(PAST)).await;
    add(store, "1", "revoked", |key| key).await;
    add(store, "1", "deleted", |key| key).await;
    add(store, "1", "rotated", |key| key).await;
    add(store, "1", "disabled", |key| key.disabled(true)).await;
    done(store.revoke("revoked", BY).await, "revoking a key");
    done(store.delete("deleted", BY).await, "deleting a key");
    let new = NewSecret::from(digest("2", "rotated"));
    done(store.rotate_to("rotated", new, PAST, BY).await, "rotating a key");
    let counted = usage(store, "1").await;
    assert_eq!(counted.secrets, 1, "a disabled key can be enabled, and the others have ended");
}

pub(super) async fn a_use_by_a_former_digest_is_one_of_the_secret(store: &dyn PepperManager) {
    add(store, "1", "key", |key| key).await;
    assert!(rehash(store, step("1", "2", "key")).await, "the secret gets a digest");
    for (pepper, seconds) in [("2", 1_700_000_000), ("1", 1_700_000_060), ("2", 1_700_000_030)] {
        let used = vec![(digest(pepper, "key"), Timestamp::from_unix_seconds(seconds))];
        done(store.note_uses(used).await, "recording a use");
    }
    let last = Some(Timestamp::from_unix_seconds(1_700_000_060));
    assert_eq!(secret(store, "key").await.last_used, last, "the last use");
    assert_eq!(usage(store, "2").await.last_used, last, "the last use under the newer pepper");
}
