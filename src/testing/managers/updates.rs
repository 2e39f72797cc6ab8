//! Promises on updates and revocations.

use super::support::{
    BY, FUTURE, add, add_with, digest, done, entry, find, form, found, is_not_found, new_key,
};
use crate::key::{InvalidRecord, KeyRecordBuilder};
use crate::store::{KeyManager, ManageError};

pub(super) async fn no_update_is_lost(store: &dyn KeyManager) {
    const UPDATES: usize = 20;
    add(store, "contended", "contended").await;
    let update = |number: usize| {
        let change = move |key: KeyRecordBuilder| key.metadata(format!("m{number}"), "x");
        store.update("contended", Box::new(change), BY)
    };
    // All updates run in one task at the same time. Each waits for the others as the store does it.
    let mut running: Vec<_> = (0..UPDATES).map(update).collect();
    std::future::poll_fn(|context| {
        running.retain_mut(|update| match update.as_mut().poll(context) {
            std::task::Poll::Ready(answer) => {
                done(answer, "one of many updates at the same time");
                false
            }
            std::task::Poll::Pending => true,
        });
        if running.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    let entry = entry(store, "contended").await;
    assert_eq!(
        entry.record.all_metadata().count(),
        UPDATES,
        "the number of updates that were kept"
    );
}

pub(super) async fn an_update_holds_whole_or_not_at_all(store: &dyn KeyManager) {
    add(store, "whole", "whole").await;
    let before = entry(store, "whole").await.record;
    let wrong = |key: KeyRecordBuilder| key.name("new").scopes(["two words"]);
    let answer = store.update("whole", Box::new(wrong), BY).await;
    assert!(
        matches!(answer, Err(ManageError::Invalid(_))),
        "an update with a scope that is not valid has to fail with `Invalid`: {answer:?}"
    );
    assert_eq!(entry(store, "whole").await.record, before, "the key after a failed update");
    add_with(store, "formed", "formed", |key| key.environment("sandbox").form(form())).await;
    let parted = |key: KeyRecordBuilder| key.environment("live");
    let answer = store.update("formed", Box::new(parted), BY).await;
    assert!(
        matches!(answer, Err(ManageError::Invalid(InvalidRecord::Environment { .. }))),
        "an update to another environment than the key's text has to fail with `Environment`: {answer:?}"
    );
    let stolen = new_key("stolen", "whole", |key| key).record.edit();
    let answer = store.update("whole", Box::new(|_| stolen), BY).await;
    assert!(
        matches!(answer, Err(ManageError::Invalid(InvalidRecord::Identity))),
        "an update to another id has to fail with `Identity`: {answer:?}"
    );
    assert_eq!(entry(store, "whole").await.record, before, "the key after a failed update");
    assert!(find(store, "stolen").await.is_none(), "a failed update added a key");
}

pub(super) async fn a_revoked_key_stays_revoked(store: &dyn KeyManager) {
    add(store, "revoked", "revoked").await;
    done(store.revoke("revoked", BY).await, "revoking a key");
    assert!(found(store, "revoked").await.is_revoked(), "a revoked key is not found as revoked");
    done(store.revoke("revoked", BY).await, "revoking a revoked key");
    let change = Box::new(|key: KeyRecordBuilder| key.revoked(false).name("risen"));
    let updated = done(store.update("revoked", change, BY).await, "updating a key");
    assert!(updated.record.is_revoked(), "an update cancelled a revocation");
    assert_eq!(updated.record.name(), "risen", "the name of a revoked key after an update");
    // A rotation does not cancel a revocation.
    let _ = store.rotate("revoked", digest("revoked 2"), FUTURE, BY).await;
    for secret in ["revoked", "revoked 2"] {
        let record = find(store, secret).await;
        assert!(
            record.is_none_or(|record| record.is_revoked()),
            "a rotation cancelled a revocation: `{secret}`"
        );
    }
    is_not_found(store.revoke("unknown", BY).await, "revoking an unknown key");
}
