//! Promises on the audit trail.

use super::support::{
    BY, FUTURE, add, digest, done, entry, find, is_invalid, is_not_found, new_key, save,
};
use crate::key::KeyRecordBuilder;
use crate::store::{
    Action, Change, KeyFilter, KeyManager, RESERVED_AUTHORS, TrailFilter, check_author,
};

pub(super) async fn the_trail_has_a_line_for_each_change(store: &dyn KeyManager) {
    let mut last = 0;
    loop {
        let lines = done(store.changes(last, 100).await, "listing changes");
        match lines.last() {
            Some(change) => {
                assert!(
                    change.sequence > last,
                    "a page of the trail repeats a line of the page before"
                );
                last = change.sequence;
            }
            None => break,
        }
    }
    save(store, "trail", |account| account).await;
    add(store, "trail-1", "trail").await;
    let touch = || Box::new(|key: crate::key::KeyRecordBuilder| key.name("x"));
    done(store.update("trail-1", touch(), "ada").await, "updating a key");
    done(store.rotate("trail-1", digest("trail-1 2"), FUTURE, BY).await, "rotating a key");
    done(store.revoke("trail-1", BY).await, "revoking a key");
    is_not_found(store.update("unknown", touch(), BY).await, "updating an unknown key");
    done(store.delete("trail-1", BY).await, "deleting a key");
    done(store.delete_account("trail", BY).await, "deleting an account");

    let lines = done(store.changes(last, 100).await, "listing changes");
    let actual: Vec<_> = lines
        .iter()
        .map(|line| (line.action, line.key.as_deref(), line.account.as_str(), line.by.as_str()))
        .collect();
    let key = Some("trail-1");
    assert_eq!(
        actual,
        [
            (Action::AccountSaved, None, "trail", BY),
            (Action::KeyAdded, key, "trail", BY),
            (Action::KeyUpdated, key, "trail", "ada"),
            (Action::KeyRotated, key, "trail", BY),
            (Action::KeyRevoked, key, "trail", BY),
            (Action::KeyDeleted, key, "trail", BY),
            (Action::AccountDeleted, None, "trail", BY),
        ],
        "the lines of the trail"
    );
    assert!(
        lines.is_sorted_by_key(|line| line.sequence),
        "the trail is not in the order of changes"
    );
    let page = done(store.changes(last, 3).await, "listing changes");
    assert_eq!(page, lines.get(..3).unwrap_or_default(), "a page of three lines");
}

pub(super) async fn the_trail_of_a_key_is_paged_from_its_end(store: &dyn KeyManager) {
    for id in ["trail-a", "trail-b"] {
        add(store, id, "trails").await;
        done(store.revoke(id, BY).await, "revoking a key");
    }
    save(store, "trails", |account| account).await;
    let shown = async |filter: TrailFilter, before, limit| {
        let lines = done(store.trail(&filter, before, limit).await, "listing the trail");
        let text =
            |line: &Change| format!("{} {}", line.action, line.key.as_deref().unwrap_or("-"));
        (lines.iter().map(text).collect::<Vec<_>>(), lines.last().map(|line| line.sequence))
    };
    let (lines, last) = shown(TrailFilter::account("trails"), None, 2).await;
    assert_eq!(lines, ["account_saved -", "key_revoked trail-b"], "the newest lines of an account");
    let (lines, _) = shown(TrailFilter::account("trails"), last, 10).await;
    let older = ["key_added trail-b", "key_revoked trail-a", "key_added trail-a"];
    assert_eq!(lines, older, "the lines before");
    let (lines, _) = shown(TrailFilter::key("trail-a"), None, 10).await;
    assert_eq!(lines, ["key_revoked trail-a", "key_added trail-a"], "the lines of a key");
    let (lines, _) = shown(TrailFilter::key("unknown"), None, 10).await;
    assert!(lines.is_empty(), "an unknown key has lines: {lines:?}");
}

/// Control characters in names and authors could forge lines in a terminal or a log.
pub(super) async fn no_line_is_forged(store: &dyn KeyManager) {
    for text in ["a\0", "a\nb", "\u{1b}[2J", "\u{7f}", "\u{9b}", "\u{2028}", "\u{202e}", "\u{2066}"]
    {
        let record = |key: KeyRecordBuilder| key.build().is_err();
        let key = || new_key("forger", "forger", |key| key).record.edit();
        assert!(
            record(key().name(text))
                && record(key().description(text))
                && record(key().owner(text))
                && record(key().metadata(text, "x"))
                && record(key().metadata("x", text)),
            "a record accepts the text {text:?}"
        );
    }
    add(store, "forger", "forger").await;
    let before = entry(store, "forger").await;
    let forged = ["eve\nada", "eve\r", "\u{1b}[31m", "\0", "\u{202e}"];
    // Nobody passes for a task of the store.
    for by in forged.into_iter().chain(RESERVED_AUTHORS) {
        let account = (*super::support::account("forger")).clone();
        let key = || new_key("forger-2", "forger", |key| key);
        is_invalid(store.add(key(), by).await, "adding a key", by);
        is_invalid(store.import(vec![key()], by).await, "importing keys", by);
        let change = Box::new(|key: KeyRecordBuilder| key.name("x"));
        is_invalid(store.update("forger", change, by).await, "updating a key", by);
        let rotated = store.rotate("forger", digest("forger 2"), FUTURE, by).await;
        is_invalid(rotated, "rotating a key", by);
        is_invalid(store.revoke("forger", by).await, "revoking a key", by);
        is_invalid(store.delete("forger", by).await, "deleting a key", by);
        is_invalid(store.save_account(account, by).await, "saving an account", by);
        is_invalid(store.delete_account("forger", by).await, "deleting an account", by);
    }
    assert_eq!(entry(store, "forger").await, before, "the key after changes that failed");
    let trail = done(store.changes(0, usize::MAX).await, "listing changes");
    let forged = trail.iter().find(|line| check_author(&line.by).is_err());
    assert_eq!(forged, None, "a line of the trail with a forged author");
    assert!(find(store, "forger-2").await.is_none(), "a key was added by a change that failed");
    // No key has such an id. A question for it is not a failure of the store.
    for id in ["\0", "forger\0", "a\nb"] {
        let key = done(store.get(id).await, "getting a key by an id that is not valid");
        assert!(key.is_none(), "the store has a key with the id {id:?}");
        let account = done(store.find_account(id).await, "finding an account by such an id");
        assert!(account.is_none(), "the store has an account with the id {id:?}");
        is_not_found(store.revoke(id, BY).await, "revoking an id that is not valid");
        is_not_found(store.delete(id, BY).await, "deleting an id that is not valid");
        is_not_found(store.delete_account(id, BY).await, "deleting an account of such an id");
        let filter = KeyFilter { owner: Some(id.to_owned()), ..KeyFilter::default() };
        let keys = done(store.list(&filter, None, 1).await, "listing keys");
        assert!(keys.is_empty(), "a key has the owner {id:?}");
        let all = KeyFilter::account("forger");
        done(store.list_accounts(Some(id), 1).await, "listing accounts");
        let after = done(store.list(&all, Some(id), 1).await, "listing keys").len();
        assert_eq!(after, usize::from(id < "forger"), "the number of keys after the id {id:?}");
    }
}
