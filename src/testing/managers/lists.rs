//! Promises on lists of keys.

use super::support::{BY, FUTURE, PAST, add, add_with, digest, done, entry, new_key};
use crate::clock::Timestamp;
use crate::key::{KeyRecordBuilder, SecretTail};
use crate::store::{
    Command, CommandOptions, KeyFilter, KeyManager, KeyOrder, KeyState, ManageError, NewKey,
    NewSecret,
};

pub(super) async fn lists_are_filtered(store: &dyn KeyManager) {
    add(store, "list-a", "list").await;
    add_with(store, "list-b", "list", |key| {
        key.owner("ada").kind("partner").metadata("tier", "gold").metadata("it's", "\"quoted\"")
    })
    .await;
    add_with(store, "list-c", "list", |key| key.environment("live").expires(PAST).name("backup"))
        .await;
    add_with(store, "list-d", "list", |key| key.disabled(true).expires(PAST).name("back% up"))
        .await;
    add_with(store, "list-e", "list", |key| key.revoked(true).disabled(true)).await;
    add(store, "list-f", "other-list").await;
    let all = KeyFilter::account("list");
    let text = |text: &str| Some(text.to_owned());
    let tag = |name: &str, value: &str| Some((name.to_owned(), value.to_owned()));
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
        (KeyFilter { tag: tag("tier", "gold"), ..all.clone() }, "b"),
        (KeyFilter { tag: tag("tier", "silver"), ..all.clone() }, ""),
        (KeyFilter { tag: tag("gold", "tier"), ..all.clone() }, ""),
        (KeyFilter { name_prefix: text("back"), ..all.clone() }, "cd"),
        (KeyFilter { name_prefix: text("back%"), ..all.clone() }, "d"),
        (KeyFilter { name_prefix: text("Back"), ..all.clone() }, ""),
        (KeyFilter { name_prefix: text(""), ..all.clone() }, "abcde"),
        (KeyFilter { expires_before: Some(FUTURE), ..all.clone() }, "cd"),
        (KeyFilter { expires_before: Some(PAST), ..all.clone() }, ""),
        (KeyFilter::account("unknown"), ""),
        (KeyFilter::account(""), ""),
        (KeyFilter { owner: text(""), ..all.clone() }, ""),
    ] {
        let listed = ids(store, &filter, None, 100).await;
        let letters: String = listed.iter().filter_map(|id| id.strip_prefix("list-")).collect();
        assert_eq!(letters, expected, "the last letters of the keys listed by {filter:?}");
    }
}

pub(super) async fn keys_are_found_by_the_tails_of_their_secrets(store: &dyn KeyManager) {
    let tail = |text| SecretTail::new(text).ok();
    for (id, text) in [("tail-a", Some("aaaa")), ("tail-b", Some("bbbb")), ("tail-c", None)] {
        let tail = text.and_then(tail);
        let key = NewKey { tail, ..new_key(id, "tail", |key| key) };
        done(store.add(key, BY).await, "adding a key with a tail");
    }
    let rotate = async |id: &str, secret: &str, text| {
        let secret = NewSecret { tail: tail(text), ..digest(secret).into() };
        let rotation = Command::Rotate { id, secret, until: FUTURE };
        done(store.apply(rotation, CommandOptions::by(BY)).await, "rotating a key");
    };
    rotate("tail-b", "tail-b 2", "aaaa").await;
    // Two secrets of one key may end alike.
    rotate("tail-a", "tail-a 2", "aaaa").await;
    for (text, account, expected) in [
        ("aaaa", Some("tail"), &["tail-a", "tail-b"][..]),
        ("aaaa", None, &["tail-a", "tail-b"]),
        ("aaaa", Some("other"), &[]),
        ("bbbb", Some("tail"), &["tail-b"]),
        ("AAAA", Some("tail"), &[]),
    ] {
        for order in [KeyOrder::Id, KeyOrder::Name] {
            let account = account.map(str::to_owned);
            let filter = KeyFilter { tail: tail(text), account, order, ..KeyFilter::default() };
            assert_eq!(ids(store, &filter, None, 100).await, expected, "keys listed by {filter:?}");
        }
    }
    let filter = KeyFilter { tail: tail("aaaa"), ..KeyFilter::default() };
    assert_eq!(ids(store, &filter, Some("tail-a"), 1).await, ["tail-b"], "the second page");
    let tails = entry(store, "tail-b").await.secrets.into_iter().map(|secret| secret.tail);
    assert_eq!(tails.collect::<Vec<_>>(), [tail("aaaa"), tail("bbbb")], "the newest first");
    done(store.delete("tail-a", BY).await, "deleting a key");
    assert_eq!(ids(store, &filter, None, 100).await, ["tail-b"], "a deleted key is not found");
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

pub(super) async fn lists_have_the_order_of_the_filter(store: &dyn KeyManager) {
    let at = Timestamp::from_unix_nanoseconds;
    let last = FUTURE.unix_nanoseconds();
    for (id, name, expires) in [
        ("order-a", "z", Some(last)),
        ("order-b", "a", Some(last - 1)),
        ("order-c", "a", None),
        ("order-d", "Ä", Some(last)),
        ("order-e", "", None),
    ] {
        let set = |mut key: KeyRecordBuilder| {
            if !name.is_empty() {
                key = key.name(name);
            }
            if let Some(expires) = expires {
                key = key.expires(at(expires));
            }
            key
        };
        add_with(store, id, "order", set).await;
    }
    for (order, expected) in
        [(KeyOrder::Id, "abcde"), (KeyOrder::Name, "ebcad"), (KeyOrder::Expiry, "bad")]
    {
        let filter = KeyFilter { order, ..KeyFilter::account("order") };
        let (mut letters, mut after) = (String::new(), None::<String>);
        loop {
            let page = done(store.list(&filter, after.as_deref(), 2).await, "listing keys");
            let Some(entry) = page.last() else { break };
            after = Some(order.after(&entry.record));
            let ids = page.iter().map(|entry| entry.record.id().as_str());
            letters.extend(ids.filter_map(|id| id.strip_prefix("order-")));
            assert!(letters.len() <= 5, "the pages repeat keys: {letters}");
        }
        assert_eq!(letters, expected, "the last letters of the keys in the order {order:?}");
        if order != KeyOrder::Id {
            let answer = store.list(&filter, Some("order-a"), 2).await;
            assert!(
                matches!(answer, Err(ManageError::WrongPosition)),
                "a place of another order has to fail with `WrongPosition`: {answer:?}"
            );
        }
    }
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
