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
    // All at once, in one task; each takes the store's own way to wait for the others.
    let mut running: Vec<_> = (0..UPDATES).map(update).collect();
    std::future::poll_fn(|context| {
        running.retain_mut(|update| match update.as_mut().poll(context) {
            std::task::Poll::Ready(answer) => {
                done(answer, "one update of many");
                false
            }
            std::task::Poll::Pending => true,
        });
        if running.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    let entry = entry(store, "contended").await;
    assert_eq!(entry.record.all_metadata().count(), UPDATES, "updates were lost");
}

pub(super) async fn an_update_holds_whole_or_not_at_all(store: &dyn KeyManager) {
    add(store, "whole", "whole").await;
    let before = entry(store, "whole").await.record;
    let wrong = |key: KeyRecordBuilder| key.name("new").scopes(["two words"]);
    let answer = store.update("whole", Box::new(wrong), BY).await;
    assert!(matches!(answer, Err(ManageError::Invalid(_))), "{answer:?}");
    assert_eq!(entry(store, "whole").await.record, before, "nothing was changed");
    add_with(store, "formed", "formed", |key| key.environment("sandbox").form(form())).await;
    let parted = |key: KeyRecordBuilder| key.environment("live");
    let answer = store.update("formed", Box::new(parted), BY).await;
    assert!(
        matches!(answer, Err(ManageError::Invalid(InvalidRecord::Environment { .. }))),
        "its text names another environment: {answer:?}"
    );
    let stolen = new_key("stolen", "whole", |key| key).record.edit();
    let answer = store.update("whole", Box::new(|_| stolen), BY).await;
    assert!(matches!(answer, Err(ManageError::Invalid(InvalidRecord::Identity))), "{answer:?}");
    assert_eq!(entry(store, "whole").await.record, before, "nothing was changed");
    assert!(find(store, "stolen").await.is_none(), "nobody was added");
}

pub(super) async fn a_revoked_key_stays_revoked(store: &dyn KeyManager) {
    add(store, "revoked", "revoked").await;
    done(store.revoke("revoked", BY).await, "revoke");
    assert!(found(store, "revoked").await.is_revoked());
    done(store.revoke("revoked", BY).await, "revoke again");
    let change = Box::new(|key: KeyRecordBuilder| key.revoked(false).name("risen"));
    let updated = done(store.update("revoked", change, BY).await, "update");
    assert!(updated.record.is_revoked() && updated.record.name() == "risen");
    // A new secret is no way back.
    let _ = store.rotate("revoked", digest("revoked 2"), FUTURE, BY).await;
    for secret in ["revoked", "revoked 2"] {
        let record = find(store, secret).await;
        assert!(record.is_none_or(|record| record.is_revoked()), "after a rotation, {secret}");
    }
    is_not_found(store.revoke("nobody", BY).await, "revoke nobody's key");
}
