//! Promises on commands: preconditions, idempotency keys, reasons and differences.

use std::sync::Arc;

use super::support::{BY, FUTURE, add, digest, done, entry, find, is_not_found, new_key, save};
use crate::key::{Account, KeyRecordBuilder};
use crate::store::{
    Action, Applied, Command, CommandOptions, Difference, IdempotencyKey, KeyManager, KeyUpdate,
    ManageError, NewKey, Precondition, Version,
};

const FINGERPRINT: [u8; 32] = [7; 32];

fn renamed(name: &'static str) -> KeyUpdate {
    Box::new(move |key: KeyRecordBuilder| key.name(name))
}

async fn version(store: &dyn KeyManager, id: &str) -> Version {
    Version::of_key(&entry(store, id).await)
}

#[track_caller]
#[allow(clippy::needless_pass_by_value)] // An answer is checked once, where it was made.
fn is_refused(answer: Result<Applied, ManageError>, what: &str) {
    assert!(
        matches!(answer, Err(ManageError::PreconditionFailed)),
        "{what} has to fail with `PreconditionFailed`: {answer:?}"
    );
}

pub(super) async fn a_change_under_an_old_version_is_refused(store: &dyn KeyManager) {
    add(store, "versioned", "versioned").await;
    let id = "versioned";
    let seen = version(store, id).await;
    done(store.note_uses(vec![(digest(id), FUTURE)]).await, "noting a use");
    assert_eq!(version(store, id).await, seen, "a use is no new version");
    let when = |version| CommandOptions::by(BY).when(Precondition::Version(version));
    let update = |name| Command::Update { id, change: renamed(name) };
    let changed = done(store.apply(update("a"), when(seen)).await, "an update of the version seen");
    let changed = changed.key.as_ref().map(Version::of_key);
    assert_eq!(changed, Some(version(store, id).await), "the version that an update returns");
    is_refused(store.apply(update("b"), when(seen)).await, "an update of an old version");
    let rotate = || Command::Rotate { id, secret: digest("versioned 2").into(), until: FUTURE };
    is_refused(store.apply(rotate(), when(seen)).await, "a rotation of an old version");
    is_refused(store.apply(Command::Revoke { id }, when(seen)).await, "revoking an old version");
    is_refused(store.apply(Command::Delete { id }, when(seen)).await, "deleting an old version");
    assert_eq!(entry(store, id).await.record.name(), "a", "the key after refused changes");

    let now = version(store, id).await;
    done(store.apply(rotate(), when(now)).await, "a rotation of the present version");
    is_refused(store.apply(Command::Revoke { id }, when(now)).await, "revoking after a rotation");
    let now = version(store, id).await;
    done(store.apply(Command::Delete { id }, when(now)).await, "deleting the present version");
    let answer = store.apply(Command::Revoke { id: "unknown" }, CommandOptions::by(BY)).await;
    is_not_found(answer, "revoking an unknown key");
}

pub(super) async fn of_two_new_accounts_with_one_id_only_the_first_is_saved(
    store: &dyn KeyManager,
) {
    let save = |disabled| {
        let account = Account::builder("first").disabled(disabled).build();
        Command::SaveAccount(done(account, "building an account"))
    };
    let absent = CommandOptions::by(BY).when(Precondition::Absent);
    let saved = done(store.apply(save(false), absent).await, "saving a new account").account;
    is_refused(store.apply(save(true), absent).await, "saving a new account under a used id");
    let version = |account: &Option<Arc<Account>>| account.as_deref().map(Version::of_account);
    let found = done(store.find_account("first").await, "finding an account");
    assert_eq!(version(&found), version(&saved), "the account after a refused change");
    let Some(seen) = version(&found) else { return };
    let when = CommandOptions::by(BY).when(Precondition::Version(seen));
    done(store.apply(save(true), when).await, "saving the version seen");
    is_refused(store.apply(save(false), when).await, "saving an old version");
    let delete = Command::DeleteAccount { id: "first" };
    is_refused(store.apply(delete, when).await, "deleting an old version");
}

pub(super) async fn a_command_that_is_sent_again_is_made_once(store: &dyn KeyManager) {
    let once = |by, name| CommandOptions::by(by).once(IdempotencyKey::new(name, &FINGERPRINT));
    let key = |id| Command::Add(new_key(id, "again", |key| key));
    let first = done(store.apply(key("again-1"), once(BY, "one")).await, "adding a key");
    assert!(!first.replayed, "the first command is no replay");
    // A retry issues another secret, which must not be valid.
    let retry = new_key("again-1", "again", |key| key);
    let retry = Command::Add(NewKey::new(digest("another secret"), retry.record));
    let again = done(store.apply(retry, once(BY, "one")).await, "adding it again");
    assert!(again.replayed, "the second command is a replay");
    assert_eq!(again.key, first.key, "the key that a replay returns");
    assert!(find(store, "another secret").await.is_none(), "a replay added a secret");

    let reused = CommandOptions::by(BY).once(IdempotencyKey::new("one", &[8; 32]));
    let answer = store.apply(key("again-2"), reused).await;
    assert!(
        matches!(answer, Err(ManageError::IdempotencyKeyReused)),
        "another command of the same name has to fail with `IdempotencyKeyReused`: {answer:?}"
    );
    assert!(find(store, "again-2").await.is_none(), "a refused command added a key");
    let by_ada = done(store.apply(key("again-2"), once("ada", "one")).await, "another author");
    assert!(!by_ada.replayed, "names of different authors are independent");

    // A command that fails may be sent again.
    let revoke = || Command::Revoke { id: "again-3" };
    is_not_found(store.apply(revoke(), once(BY, "two")).await, "revoking an unknown key");
    add(store, "again-3", "again").await;
    let revoked = done(store.apply(revoke(), once(BY, "two")).await, "revoking a key");
    assert!(!revoked.replayed, "a command that failed was not made");
    let before = last_sequence(store).await;
    let again = done(store.apply(revoke(), once(BY, "two")).await, "revoking it again");
    assert!(again.replayed, "the revocation was made");
    assert_eq!(last_sequence(store).await, before, "a replay wrote a line of the trail");
}

pub(super) async fn a_key_may_require_that_its_account_exists(store: &dyn KeyManager) {
    let existing = CommandOptions::by(BY).in_existing_account();
    save(store, "existing", |account| account).await;
    let key = |id, account| Command::Add(new_key(id, account, |key| key));
    done(store.apply(key("existing-1", "existing"), existing).await, "adding to an account");
    done(store.delete_account("existing", BY).await, "deleting an account");
    let answer = store.apply(key("existing-2", "existing"), existing).await;
    is_not_found(answer, "adding a key to a deleted account");
    assert!(find(store, "existing-2").await.is_none(), "a refused key serves");
    let account = done(store.find_account("existing").await, "finding an account");
    assert!(account.is_none(), "a refused key brought a deleted account back");
    done(store.apply(key("existing-3", "new"), CommandOptions::by(BY)).await, "without the option");
}

pub(super) async fn a_refund_of_quota_has_a_line(store: &dyn KeyManager) {
    add(store, "refund-1", "refund").await;
    let before = done(store.get("refund-1").await, "getting a key");
    let sequence = last_sequence(store).await;
    let used = Difference::new("quota minute", Some("7 of 10 used".into()), Some("0".into()));
    let note = |id, options| store.apply(Command::NoteRefund { id, used: used.clone() }, options);
    let once = IdempotencyKey::new("refund", &FINGERPRINT);
    let options = CommandOptions::by(BY).once(once).because("a mistake of ours");
    done(note("refund-1", options).await, "writing a line of a refund");
    let again = done(note("refund-1", options).await, "writing the same line again");
    assert!(again.replayed, "the line was written");
    is_not_found(note("unknown", CommandOptions::by(BY)).await, "a refund of an unknown key");
    let lines = done(store.changes(sequence, 100).await, "listing changes");
    let lines: Vec<_> = lines
        .into_iter()
        .map(|line| (line.action, line.key, line.account, line.reason, line.differences))
        .collect();
    let text = |text: &str| Some(text.to_owned());
    let line = (Action::QuotaRefunded, text("refund-1"), "refund".to_owned());
    let line = (line.0, line.1, line.2, text("a mistake of ours"), vec![used.clone()]);
    assert_eq!(lines, [line], "the line of a refund");
    assert_eq!(done(store.get("refund-1").await, "getting it again"), before, "a key is unchanged");
    let bare = note("refund-1", CommandOptions::by(BY)).await;
    done(bare, "writing a line of another refund");
    assert_eq!(last_sequence(store).await, sequence + 2, "a line for each refund");
}

async fn last_sequence(store: &dyn KeyManager) -> u64 {
    let lines = done(store.changes(0, usize::MAX).await, "listing changes");
    lines.last().map_or(0, |line| line.sequence)
}

pub(super) async fn the_trail_shows_why_and_what(store: &dyn KeyManager) {
    let before = last_sequence(store).await;
    save(store, "shown", |account| account.scopes(["read"])).await;
    add(store, "shown-1", "shown").await;
    let rename = Command::Update { id: "shown-1", change: renamed("new") };
    done(store.apply(rename, CommandOptions::by(BY)).await, "renaming a key");
    let revoke = Command::Revoke { id: "shown-1" };
    done(store.apply(revoke, CommandOptions::by(BY).because("it leaked")).await, "revoking a key");
    let forged = CommandOptions::by(BY).because("a\nb");
    let answer = store.apply(Command::Delete { id: "shown-1" }, forged).await;
    assert!(matches!(answer, Err(ManageError::Invalid(_))), "a reason of two lines: {answer:?}");

    let lines = done(store.changes(before, 100).await, "listing changes");
    let text = |text: &str| Some(text.to_owned());
    let set = |field: &str, to: &str| vec![Difference::new(field, None, text(to))];
    let expected = [
        (Action::AccountSaved, None, set("scopes", "read")),
        (Action::KeyAdded, None, set("account", "shown")),
        (Action::KeyUpdated, None, set("name", "new")),
        (Action::KeyRevoked, text("it leaked"), set("revoked", "true")),
    ];
    let actual: Vec<_> =
        lines.into_iter().map(|line| (line.action, line.reason, line.differences)).collect();
    assert_eq!(actual, expected, "what the trail shows of changes");
}
