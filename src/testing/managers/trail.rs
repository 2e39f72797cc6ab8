//! Promises on the trail.

use super::support::{BY, FUTURE, add, digest, done, entry, find, is_not_found, new_key, save};
use crate::key::KeyRecordBuilder;
use crate::store::{Action, KeyFilter, KeyManager, ManageError, check_author};

pub(super) async fn the_trail_has_a_line_for_each_change(store: &dyn KeyManager) {
    let mut last = 0;
    loop {
        let lines = done(store.changes(last, 100).await, "changes");
        match lines.last() {
            Some(change) => {
                assert!(
                    change.sequence > last,
                    "a page of the trail begins where the last one ended"
                );
                last = change.sequence;
            }
            None => break,
        }
    }
    save(store, "trail", |account| account).await;
    add(store, "trail-1", "trail").await;
    let touch = || Box::new(|key: crate::key::KeyRecordBuilder| key.name("x"));
    done(store.update("trail-1", touch(), "ada").await, "update");
    done(store.rotate("trail-1", digest("trail-1 2"), FUTURE, BY).await, "rotate");
    done(store.revoke("trail-1", BY).await, "revoke");
    is_not_found(store.update("nobody", touch(), BY).await, "a change that fails");
    done(store.delete("trail-1", BY).await, "delete");
    done(store.delete_account("trail", BY).await, "delete an account");

    let lines = done(store.changes(last, 100).await, "changes");
    let told: Vec<_> = lines
        .iter()
        .map(|line| (line.action, line.key.as_deref(), line.account.as_str(), line.by.as_str()))
        .collect();
    let key = Some("trail-1");
    assert_eq!(
        told,
        [
            (Action::AccountSaved, None, "trail", BY),
            (Action::KeyAdded, key, "trail", BY),
            (Action::KeyUpdated, key, "trail", "ada"),
            (Action::KeyRotated, key, "trail", BY),
            (Action::KeyRevoked, key, "trail", BY),
            (Action::KeyDeleted, key, "trail", BY),
            (Action::AccountDeleted, None, "trail", BY),
        ]
    );
    assert!(lines.is_sorted_by_key(|line| line.sequence));
    let page = done(store.changes(last, 3).await, "changes");
    assert_eq!(page, lines.get(..3).unwrap_or_default(), "at most so many");
}

/// Whoever reads a name or the trail reads lines that a store has written, and no others.
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
            "{text:?} is taken"
        );
    }
    add(store, "forger", "forger").await;
    let before = entry(store, "forger").await;
    for by in ["eve\nada", "eve\r", "\u{1b}[31m", "\0", "\u{202e}"] {
        let account = (*super::support::account("forger")).clone();
        let key = || new_key("forger-2", "forger", |key| key);
        is_invalid(store.add(key(), by).await, "add", by);
        is_invalid(store.import(vec![key()], by).await, "import", by);
        is_invalid(store.update("forger", Box::new(|key| key.name("x")), by).await, "update", by);
        is_invalid(store.rotate("forger", digest("forger 2"), FUTURE, by).await, "rotate", by);
        is_invalid(store.revoke("forger", by).await, "revoke", by);
        is_invalid(store.delete("forger", by).await, "delete", by);
        is_invalid(store.save_account(account, by).await, "save an account", by);
        is_invalid(store.delete_account("forger", by).await, "delete an account", by);
    }
    assert_eq!(entry(store, "forger").await, before, "nothing was changed");
    let trail = done(store.changes(0, usize::MAX).await, "changes");
    let forged = trail.iter().find(|line| check_author(&line.by).is_err());
    assert_eq!(forged, None, "a line of the trail");
    assert!(find(store, "forger-2").await.is_none(), "nothing was added");
    // Nobody has such an id; to ask for it is no failure of the store.
    for id in ["\0", "forger\0", "a\nb"] {
        assert!(done(store.get(id).await, "get").is_none(), "{id:?}");
        assert!(done(store.find_account(id).await, "find an account").is_none(), "{id:?}");
        is_not_found(store.revoke(id, BY).await, id);
        is_not_found(store.delete(id, BY).await, id);
        is_not_found(store.delete_account(id, BY).await, id);
        let filter = KeyFilter { owner: Some(id.to_owned()), ..KeyFilter::default() };
        assert!(done(store.list(&filter, None, 1).await, "list").is_empty(), "{id:?}");
        let all = KeyFilter::account("forger");
        done(store.list_accounts(Some(id), 1).await, "list accounts");
        let after = done(store.list(&all, Some(id), 1).await, "list").len();
        assert_eq!(after, usize::from(id < "forger"), "after {id:?}");
    }
}

#[track_caller]
#[allow(clippy::needless_pass_by_value)] // It reads as a sentence at each call.
fn is_invalid<T: std::fmt::Debug>(answer: Result<T, ManageError>, what: &str, by: &str) {
    assert!(matches!(answer, Err(ManageError::Invalid(_))), "{what} by {by:?}: {answer:?}");
}
