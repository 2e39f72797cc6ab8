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
        (KeyFilter::account("nobody"), ""),
        (KeyFilter::account(""), ""),
        (KeyFilter { owner: text(""), ..all.clone() }, ""),
    ] {
        let listed = ids(store, &filter, None, 100).await;
        let letters: String = listed.iter().filter_map(|id| id.strip_prefix("list-")).collect();
        assert_eq!(letters, expected, "{filter:?}");
    }
}

pub(super) async fn lists_are_paged(store: &dyn KeyManager) {
    // Ids are in the order of their bytes: capitals before small letters.
    for id in ["page-b", "page-A", "page-a", "page-c", "page-B"] {
        add(store, id, "page").await;
    }
    let filter = KeyFilter::account("page");
    let first = ids(store, &filter, None, 2).await;
    assert_eq!(first, ["page-A", "page-B"]);
    done(store.delete("page-B", BY).await, "delete the last one of a page");
    add(store, "page-D", "page").await;
    assert_eq!(ids(store, &filter, Some("page-B"), 2).await, ["page-D", "page-a"]);
    assert_eq!(ids(store, &filter, Some("page-a"), 100).await, ["page-b", "page-c"]);
    assert!(ids(store, &filter, Some("page-c"), 100).await.is_empty());
    assert!(ids(store, &filter, None, 0).await.is_empty());
}

async fn ids(
    store: &dyn KeyManager,
    filter: &KeyFilter,
    after: Option<&str>,
    limit: usize,
) -> Vec<String> {
    let listed = done(store.list(filter, after, limit).await, "list");
    listed.iter().map(|entry| entry.record.id().to_string()).collect()
}
