//! Does what is due for one key, in one transaction.

use super::outcome::PolicyOutcome;
use super::recorded_uses::RecordedUses;
use crate::SqlStore;
use crate::row;
use crate::trail::Step;
use tower_api_key::clock::Timestamp;
use tower_api_key::events::{EventKind, EventSubject, Occurrence};
use tower_api_key::key::KeyRecordBuilder;
use tower_api_key::policy::{KeyPolicy, Policies, PolicyAction};
use tower_api_key::store::{CommandOptions, KeyEntry, ManageError, apply_update};

impl SqlStore {
    /// Does what is due for a key. All is read again in the transaction, so a key that was used or changed meanwhile is
    /// left as it is.
    pub(super) async fn do_what_is_due(
        &self,
        id: &str,
        uses: Option<RecordedUses>,
        outcome: &mut PolicyOutcome,
    ) -> Result<(), ManageError> {
        let mut step = self.begin(CommandOptions::by(PolicyAction::AUTHOR)).await?;
        let mut done = *outcome;
        step.do_what_is_due(id, uses, &mut done).await?;
        // Also if nothing is due: a transaction that does not end closes its connection.
        step.commit().await?;
        *outcome = done;
        Ok(())
    }

    /// Counts what is due for a key: does it, and takes it back. So it counts exactly what a sweep would do.
    pub(super) async fn count_what_is_due(
        &self,
        id: &str,
        uses: Option<RecordedUses>,
        outcome: &mut PolicyOutcome,
    ) -> Result<(), ManageError> {
        let mut step = self.begin(CommandOptions::by(PolicyAction::AUTHOR)).await?;
        let counted = step.do_what_is_due(id, uses, outcome).await;
        step.roll_back().await?;
        counted
    }
}

impl Step<'_> {
    async fn do_what_is_due(
        &mut self,
        id: &str,
        uses: Option<RecordedUses>,
        outcome: &mut PolicyOutcome,
    ) -> Result<(), ManageError> {
        let entry = match self.locked(id).await {
            // It was deleted meanwhile.
            Err(ManageError::NotFound) => return Ok(()),
            // If the database cannot answer, the transaction cannot be committed either.
            Err(ManageError::Store(_)) => {
                outcome.unreadable_keys += 1;
                return Ok(());
            }
            entry => entry?,
        };
        if entry.record.account().is_disabled() {
            return Ok(());
        }
        let (policies, now) = (self.readable_policies_of(&entry.record).await?, self.now());
        let mut dates = self.dates(&entry).await?;
        if !is_unused(&policies, &entry, dates.last_active(), uses, now) {
            // Then no policy switches it off.
            dates = dates.last_used(now);
        }
        for action in policies.due(&entry.record, &dates, now) {
            let by = followed(&policies, action, |policy| {
                let covers = |time| uses.is_some_and(|uses| uses.cover(time, now));
                let is_known = policy.switches_off_unused().is_none_or(covers);
                if is_known {
                    Policies::new([policy.clone()]).due(&entry.record, &dates, now)
                } else {
                    Vec::new()
                }
            });
            self.act(&entry, action, &by, outcome).await?;
        }
        Ok(())
    }

    async fn act(
        &mut self,
        entry: &KeyEntry,
        action: PolicyAction,
        by: &str,
        outcome: &mut PolicyOutcome,
    ) -> Result<(), ManageError> {
        match action {
            PolicyAction::SwitchOff { unused_since } => {
                self.because(format!("not used since {unused_since}{by}"));
                self.write_change(entry, |key| key.disabled(true)).await?;
                outcome.switched_off += 1;
            }
            PolicyAction::Expire { at } => {
                self.because(format!("a policy bounds the life of the key{by}"));
                self.write_change(entry, move |key| key.expires(at)).await?;
                outcome.expiries_set += 1;
            }
            PolicyAction::RemindOfRotation { made } => {
                let subject = EventSubject::Key(entry.record.id().to_string());
                let reminder = Occurrence::new(EventKind::RotationDue, subject, self.now())
                    // As the statement that looks for keys without a reminder.
                    .once(row::column(made).to_string(), Timestamp::MAX)
                    .with("secret_made", made.to_string());
                outcome.reminders += u64::from(self.note_occurrence(&reminder).await?);
            }
            _ => {}
        }
        Ok(())
    }

    /// Changes a key without a check of the policies: the sweep gives more time than they do.
    async fn write_change(
        &mut self,
        entry: &KeyEntry,
        change: impl FnOnce(KeyRecordBuilder) -> KeyRecordBuilder + Send + 'static,
    ) -> Result<(), ManageError> {
        let after = apply_update(&entry.record, Box::new(change))?;
        self.write(entry, &after).await
    }
}

/// Names the policies whose own rules ask for an action, as a text after a reason: `; policy kind:partner`.
fn followed(
    policies: &Policies,
    action: PolicyAction,
    due: impl Fn(&KeyPolicy) -> Vec<PolicyAction>,
) -> String {
    let asking = policies.iter().filter(|policy| due(policy).contains(&action));
    let names: Vec<_> = asking.map(|policy| policy.subject().to_string()).collect();
    match &*names {
        [] => String::new(),
        [name] => format!("; policy {name}"),
        names => format!("; policies {}", names.join(", ")),
    }
}

/// Returns true if a policy switches the key off, and uses were recorded for the whole time of that policy.
fn is_unused(
    policies: &Policies,
    entry: &KeyEntry,
    last_active: Timestamp,
    uses: Option<RecordedUses>,
    now: Timestamp,
) -> bool {
    let Some(uses) = uses else { return false };
    // Nobody can use a key before its first instant.
    let last_active = last_active.max(entry.record.not_before().unwrap_or_default());
    let times = policies.covering(&entry.record).filter_map(KeyPolicy::switches_off_unused);
    times.into_iter().any(|time| last_active.plus(time) <= now && uses.cover(time, now))
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use tower_api_key::clock::{Clock, ManualClock};
    use tower_api_key::key::{Account, KeyHasher, KeyRecord};
    use tower_api_key::policy::PolicySubject;
    use tower_api_key::store::{Command, KeyManager, NewKey};

    const DAY: Duration = Duration::from_secs(86_400);

    /// The sweep has found the keys, and something happens before it comes to them.
    #[tokio::test]
    async fn what_happens_meanwhile_counts() {
        let clock = ManualClock::starting_at(Timestamp::from_unix_seconds(1_800_000_000));
        let start = clock.now();
        let store = SqlStore::connect("sqlite::memory:").await.unwrap().with_clock(clock.clone());
        let account = Arc::new(Account::builder("acme").build().unwrap());
        let digest = |id: &str| KeyHasher::sha256().digest(id.as_bytes());
        for id in ["used", "edited", "revoked", "idle", "deleted"] {
            let record = KeyRecord::builder(id, Arc::clone(&account)).build().unwrap();
            store.add(NewKey::new(digest(id), record), "ada").await.unwrap();
        }
        let policy = KeyPolicy::builder(PolicySubject::All).switch_off_unused(30 * DAY).build();
        let by = CommandOptions::by("ada");
        store.apply(Command::SavePolicy(policy.unwrap()), by).await.unwrap();
        clock.advance(100 * DAY);
        store.note_uses(vec![(digest("used"), clock.now())]).await.unwrap();
        store.update("edited", Box::new(|key| key.name("in use")), "ada").await.unwrap();
        store.revoke("revoked", "ada").await.unwrap();
        store.delete("deleted", "ada").await.unwrap();
        let uses = store.recorded_uses(30 * DAY).await.unwrap();
        let uses = uses.map(|uses| uses.assume_since(start));
        let mut outcome = PolicyOutcome::default();
        for id in ["used", "edited", "revoked", "deleted"] {
            store.do_what_is_due(id, uses, &mut outcome).await.unwrap();
            assert_eq!(outcome, PolicyOutcome::default(), "{id}");
        }
        store.do_what_is_due("idle", None, &mut outcome).await.unwrap();
        assert_eq!(outcome.switched_off, 0, "uses are not recorded");
        // Two sweeps at once come to a key one after the other.
        for _ in 0..2 {
            store.do_what_is_due("idle", uses, &mut outcome).await.unwrap();
            assert_eq!(outcome.switched_off, 1);
        }
        store.update("idle", Box::new(|key| key.disabled(false)), "ada").await.unwrap();
        store.do_what_is_due("idle", uses, &mut outcome).await.unwrap();
        assert_eq!(outcome.switched_off, 1, "somebody switched it on");
        clock.advance(30 * DAY);
        store.apply(Command::DeletePolicy(PolicySubject::All), by).await.unwrap();
        let uses = uses.map(|uses| uses.assume_since(start));
        store.do_what_is_due("edited", uses, &mut outcome).await.unwrap();
        assert_eq!(outcome.switched_off, 1, "the policy was deleted");
    }
}
