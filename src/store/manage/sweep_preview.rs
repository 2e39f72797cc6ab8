//! What a sweep of policies would do with a key, as far as a manager of keys knows.

use super::change::{Action, Change};
use super::difference::Difference;
use super::entry::KeyEntry;
use super::error::ManageError;
use super::manager::KeyManager;
use super::trail_filter::TrailFilter;
use crate::clock::Timestamp;
use crate::key::KeyRecord;
use crate::policy::{KeyDates, Policies, PolicyAction};

/// The lines of the trail that are read of a key or an account.
const LINES: usize = 200;

/// Returns what a sweep of these policies would do with a key. It leaves the keys of a disabled account as they are.
///
/// Only for a key that may have to be switched off, the trail is read: the newest 200 lines of the key, and those of its
/// account. A sweep may leave on what is here to be switched off: it also knows the uses that only a `UsageRecorder` saw,
/// all lines of the trail, and whether uses were recorded for the whole time of the rule.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::clock::Timestamp;
/// use tower_api_key::key::{Account, KeyHasher, KeyRecord};
/// use tower_api_key::policy::{KeyPolicy, Policies, PolicyAction, PolicySubject};
/// use tower_api_key::store::{KeyManager, MemoryStore, NewKey, sweep_preview};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let day = Duration::from_secs(24 * 60 * 60);
/// let policy = KeyPolicy::builder(PolicySubject::All).switch_off_unused(60 * day).build()?;
///
/// let store = MemoryStore::new();
/// let record = KeyRecord::builder("key_1", Account::builder("acme").build()?).build()?;
/// store.add(NewKey::new(KeyHasher::sha256().digest(b"the key's text"), record), "ada").await?;
///
/// let entry = store.get("key_1").await?.expect("it was added");
/// let due = sweep_preview(&store, &Policies::new([policy]), &entry, entry.created.plus(61 * day)).await?;
/// assert_eq!(due, [PolicyAction::SwitchOff { unused_since: entry.created }]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// The errors of [`KeyManager::trail`].
pub async fn sweep_preview(
    manager: &dyn KeyManager,
    policies: &Policies,
    entry: &KeyEntry,
    now: Timestamp,
) -> Result<Vec<PolicyAction>, ManageError> {
    let (record, dates) = (&entry.record, entry.dates());
    if record.account().is_disabled() {
        return Ok(Vec::new());
    }
    let due = policies.due(record, &dates, now);
    if !due.iter().any(|action| matches!(action, PolicyAction::SwitchOff { .. })) {
        return Ok(due);
    }
    let dates = with_changes(manager, record, dates).await?;
    Ok(policies.due(record, &dates, now))
}

/// A key that somebody has changed counts as used then, and so do the keys of an account that was enabled.
async fn with_changes(
    manager: &dyn KeyManager,
    record: &KeyRecord,
    dates: KeyDates,
) -> Result<KeyDates, ManageError> {
    let of_key = TrailFilter::key(record.id());
    let of_account = TrailFilter::account(record.account().id());
    let changed = newest_line(manager, &of_key, is_of_somebody).await?;
    let enabled = newest_line(manager, &of_account, enables_account).await?;
    Ok([changed, enabled].into_iter().flatten().fold(dates, KeyDates::last_changed))
}

/// Returns the instant of the newest line that meets a condition.
async fn newest_line(
    manager: &dyn KeyManager,
    filter: &TrailFilter,
    condition: fn(&Change) -> bool,
) -> Result<Option<Timestamp>, ManageError> {
    let lines = manager.trail(filter, None, LINES).await?;
    Ok(lines.iter().find(|line| condition(line)).map(|line| line.at))
}

/// Returns true for a change of a key by somebody else than a sweep.
fn is_of_somebody(change: &Change) -> bool {
    change.action == Action::KeyUpdated && change.by != PolicyAction::AUTHOR
}

/// Returns true for a change that enables an account. Its keys could not be used before.
fn enables_account(change: &Change) -> bool {
    let enables = |difference: &Difference| {
        difference.field == "disabled" && difference.before.is_some() && difference.after.is_none()
    };
    change.action == Action::AccountSaved && change.differences.iter().any(enables)
}
