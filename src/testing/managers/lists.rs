//! Promises on lists of keys.

use super::support::{BY, PAST, add, add_with, done};
use crate::store::{KeyFilter, KeyManager, KeyState};

pub(super) async fn lists_are_filtered(store: &dyn KeyManager) {
    add(store, "list-a", "list").await;
    add_with(store, "list-b", "list", |key| key.owner("ada").kind("partner")).await;
    add_with(store, "list-c", "list", |key| key.environment("live").expires(PAST)).await;
    add_with(store, "list-d", "list", |key| key.disabled(true).expires(PAST)).await;
    add_with(store, "list-e", "list", |key| key.revoked(true).disabled(true)).await;
    add(store, "list-f", "other-list").await;
    let all = KeyFilter::account("list");
    let text = |text: &str| Some(text.to_owned());
    let state = |state| KeyFilter { state: Some(state), ..all.clone() };
    for (filter, expected) in [
        (all.clone(), "abcde"),
        (KeyFilter { owner: text("ada"), ..all.clone() }, "b"),
        (KeyFilter { kind: text("partner"), ..all.clone() }, "b"),
        (KeyFilter { environment: text("live"), ..all.clone() }, "c"),
        (KeyFilter { owner: text("ada"), environment: text("live"), ..all.clone() }, ""),
        (state(KeyState::Active), "ab"),
        (state(KeyState::Expired), "c"),
        (state(KeyState::Disabled), "d"),
        (state(KeyState::Revoked), "e"),
        (KeyFilter::account("unknown"), ""),
        (KeyFilter::account(""), ""),
        (KeyFilter { owner: text(""), ..all.clone() }, ""),
    ] {
        let listed = ids(store, &filter, None, 100).await;
        let letters: String = listed.iter().filter_map(|id| id.strip_prefix("list-")).collect();
        assert_eq!(letters, expected, "the last letters of the keys listed by {filter:?}");
    }
}

pub(super) async fn lists_are_paged(store: &dyn KeyManager) {
    // Ids are in the order of their bytes: upper case before lower case.
    for id in ["page-b", "page-A", "page-a", "page-c", "page-B"] {
        add(store, id, "page").await;
    }
    let filter = KeyFilter::account("page");
    let first = ids(store, &filter, None, 2).await;
    assert_eq!(first, ["page-A", "page-B"], "the first page");
    done(store.delete("page-B", BY).await, "deleting the last key of a page");
    add(store, "page-D", "page").await;
    let second = ids(store, &filter, Some("page-B"), 2).await;
    assert_eq!(second, ["page-D", "page-a"], "the page after a deleted key");
    let third = ids(store, &filter, Some("page-a"), 100).await;
    assert_eq!(third, ["page-b", "page-c"], "the last page");
    assert!(
        ids(store, &filter, Some("page-c"), 100).await.is_empty(),
        "a page after the last key is not empty"
    );
    assert!(ids(store, &filter, None, 0).await.is_empty(), "a page with a limit of 0 is not empty");
}

async fn ids(
    store: &dyn KeyManager,
    filter: &KeyFilter,
    after: Option<&str>,
    limit: usize,
) -> Vec<String> {
    let listed = done(store.list(filter, after, limit).await, "listing keys");
    listed.iter().map(|entry| entry.record.id().to_string()).collect()
}
