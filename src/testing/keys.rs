//! Promises on keys.

use std::time::Duration;

use super::support::{
    BY, FUTURE, PAST, add, add_with, digest, done, entry, find, found, is_not_found, new_key,
};
use crate::clock::Timestamp;
use crate::key::{InvalidRecord, KeyForm, KeyRecordBuilder};
use crate::quota::{Algorithm, OnLimiterFailure, Per, Quota};
use crate::store::{KeyFilter, KeyManager, KeyState, ManageError, check_author};

fn everything(key: KeyRecordBuilder) -> KeyRecordBuilder {
    let window = Duration::from_secs(60);
    key.owner("ada")
        .kind("partner")
        .environment("sandbox")
        .audience("billing")
        .form(form())
        .scopes(["read", "write"])
        .networks(["10.0.0.0/8", "2001:db8::/32"])
        .quotas([
            Quota::named("fixed", 1, window).on_failure(OnLimiterFailure::Deny),
            Quota::named("leaky", 2, window).counted(Algorithm::LeakyBucket).each(Per::Key),
            Quota::named("sliding", 3, window).counted(Algorithm::SlidingWindow),
            Quota::by_month("month", 4).in_shadow(),
        ])
        .not_before(Timestamp::from_unix_nanoseconds(1_000_000_000_000_000_001))
        .expires(FUTURE)
        .disabled(true)
        .name("a \"name\" with é")
        .description("what it is for")
        .metadata("team", "blue")
        .metadata("empty", "")
}

/// The form of a key whose text names the environment `sandbox`.
#[allow(clippy::expect_used)] // It is as it is written.
fn form() -> KeyForm {
    "acme_{environment:sandbox}_{base62:24}{checksum}".parse().expect("a form")
}

/// Nobody's keys are written over by mistake.
pub(super) async fn the_store_is_empty(store: &dyn KeyManager) {
    let keys = done(store.list(&KeyFilter::default(), None, 1).await, "list");
    let accounts = done(store.list_accounts(None, 1).await, "list accounts");
    assert!(keys.is_empty() && accounts.is_empty(), "the suite needs an empty store");
}

pub(super) async fn everything_set_comes_back(store: &dyn KeyManager) {
    let key = new_key("everything", "everything", everything);
    let record = key.record.clone();
    done(store.add(key, BY).await, "add");
    assert_eq!(entry(store, "everything").await.record, record, "by id");
    assert_eq!(*found(store, "everything").await, record, "by secret");
    let plain = |key: KeyRecordBuilder| {
        key.inherit_scopes()
            .inherit_quotas()
            .any_network()
            .never_expires()
            .disabled(false)
            .without_metadata("team")
            .without_audience()
    };
    let before = entry(store, "everything").await;
    let updated = done(store.update("everything", Box::new(plain), BY).await, "update").record;
    let after = entry(store, "everything").await;
    assert_eq!((after.created, after.secrets), (before.created, before.secrets), "an update");
    assert!(updated.own_scopes().is_none() && updated.own_quotas().is_none());
    assert!(updated.audience().is_none() && updated.form() == record.form());
    assert!(updated.networks().is_none() && updated.expires().is_none());
    assert!(!updated.is_disabled() && updated.metadata("team").is_none());
    assert_eq!((updated.owner(), updated.metadata("empty")), (Some("ada"), Some("")));
    assert_eq!(*found(store, "everything").await, updated);
}

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

pub(super) async fn a_deleted_key_stays_deleted(store: &dyn KeyManager) {
    add(store, "deleted", "deleted").await;
    done(store.delete("deleted", BY).await, "delete");
    is_not_found(store.delete("deleted", BY).await, "delete again");
    let account = done(store.find_account("deleted").await, "find an account");
    assert!(account.is_some(), "an account stays when its last key goes");
    is_not_found(store.revoke("deleted", BY).await, "revoke what was deleted");
    let touch = Box::new(|key: KeyRecordBuilder| key.disabled(false));
    is_not_found(store.update("deleted", touch, BY).await, "update what was deleted");
    let rotated = store.rotate("deleted", digest("deleted 2"), FUTURE, BY).await;
    is_not_found(rotated, "rotate what was deleted");
    done(store.note_uses(vec![(digest("deleted"), FUTURE)]).await, "note a use");
    let account = (*super::support::account("deleted")).clone();
    done(store.save_account(account, BY).await, "save the account");
    assert!(find(store, "deleted").await.is_none() && find(store, "deleted 2").await.is_none());
    assert!(done(store.get("deleted").await, "get").is_none());
}

pub(super) async fn force_revokes_the_owners_others(store: &dyn KeyManager) {
    let ada = |key: KeyRecordBuilder| key.owner("ada");
    add_with(store, "force-a", "force", ada).await;
    add_with(store, "force-b", "force", ada).await;
    add_with(store, "force-c", "force", |key| key.owner("grace")).await;
    add(store, "force-d", "force").await;
    add_with(store, "force-e", "other-force", ada).await;
    add_with(store, "force-h", "force", |key| key.owner("ada").audience("billing")).await;
    done(store.add(new_key("force-f", "force", ada).revoking_others(), BY).await, "add by force");
    let taken = new_key("force-a", "force", |key| key.owner("grace")).revoking_others();
    super::support::exists(store.add(taken, BY).await, "by force, under a taken id");
    for (id, revoked) in [
        ("a", true),
        ("b", true),
        ("c", false),
        ("d", false),
        ("e", false),
        ("f", false),
        ("h", false),
    ] {
        let record = found(store, &format!("force-{id}")).await;
        assert_eq!(record.is_revoked(), revoked, "force-{id}");
    }
    let new = new_key("force-g", "force", |key| key).revoking_others();
    done(store.add(new, BY).await, "by force, without an owner");
    assert!(
        found(store, "force-d").await.is_revoked() && !found(store, "force-c").await.is_revoked()
    );
}

pub(super) async fn an_import_adds_what_is_new(store: &dyn KeyManager) {
    add_with(store, "import-1", "import", |key| key.name("first")).await;
    let keys = |count: usize| {
        let key = |number| new_key(&format!("import-{number}"), "import", |key| key.name("later"));
        (0..count).map(key).collect::<Vec<_>>()
    };
    assert_eq!(done(store.import(keys(50), BY).await, "import"), 49);
    assert_eq!(done(store.import(keys(51), BY).await, "import again"), 1);
    assert_eq!(done(store.import(Vec::new(), BY).await, "import nothing"), 0);
    let twice = vec![new_key("import-x", "import", |key| key).revoking_others(); 2];
    assert_eq!(done(store.import(twice, BY).await, "import the same twice"), 1);
    let mut taken = new_key("import-1", "import", |key| key);
    taken.digest = digest("import-y");
    let keys = vec![taken, new_key("import-y", "import", |key| key)];
    assert_eq!(done(store.import(keys, BY).await, "import a secret after a taken id"), 1);
    assert_eq!(found(store, "import-y").await.id().as_str(), "import-y");
    let mut thief = new_key("import-thief", "other-import", |key| key);
    thief.digest = digest("import-1");
    assert_eq!(done(store.import(vec![thief], BY).await, "import a taken secret"), 0);
    assert!(done(store.get("import-thief").await, "get").is_none());
    assert_eq!(found(store, "import-1").await.id(), "import-1", "a secret stays its key's");
    assert!(!found(store, "import-1").await.is_revoked(), "an import revokes nothing");
    assert_eq!(found(store, "import-1").await.name(), "first", "what is there stays");
    assert_eq!(found(store, "import-50").await.name(), "later");
}
