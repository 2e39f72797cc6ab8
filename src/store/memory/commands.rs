//! Commands on the keys in memory, each with its line of the trail.

use std::sync::Arc;

use super::super::manage::{
    Action, Applied, Command, CommandOptions, Difference, KeyEntry, KeyState, KeyUpdate,
    ManageError, NewKey, NewSecret, SecretEntry,
};
use super::line::{Line, Made};
use super::page::Entry;
use super::store::MemoryStore;
use super::writer::Writer;
use crate::clock::Timestamp;
use crate::key::{KeyDigest, KeyRecord};

impl MemoryStore {
    pub(super) fn apply_now(
        &self,
        command: Command<'_>,
        options: &CommandOptions<'_>,
    ) -> Result<Applied, ManageError> {
        let made = self.made(options)?;
        let mut writer = self.writer();
        let target = command.target();
        if let Some(key) = options.idempotency_key()
            && writer.index.requests.has_made(made.by, key, made.at)?
        {
            return Ok(writer.present(&target, made.at).replayed());
        }
        options.precondition().check(writer.version(&target))?;
        if options.is_in_existing_account()
            && let Command::Add(new) = &command
            && writer.account(new.record.account().id().as_str()).is_none()
        {
            return Err(ManageError::NotFound);
        }
        let command = writer.check(command, options, made.at)?;
        let applied = writer.apply(command, made)?;
        if let Some(key) = options.idempotency_key() {
            writer.index.requests.note(made.by, key, made.at);
        }
        Ok(applied)
    }

    pub(super) fn import_now(
        &self,
        keys: Vec<NewKey>,
        options: &CommandOptions<'_>,
    ) -> Result<u64, ManageError> {
        let made = self.made(options)?;
        let mut writer = self.writer();
        writer.check_import(&keys, made.at)?;
        let mut added = 0;
        for key in keys {
            let key = NewKey { revokes_others: false, ..key };
            added += u64::from(writer.add_new(key, made).is_ok());
        }
        Ok(added)
    }

    pub(super) fn made<'a>(&self, options: &CommandOptions<'a>) -> Result<Made<'a>, ManageError> {
        options.check()?;
        Ok(Made { at: self.0.clock.now(), by: options.author(), reason: options.reason() })
    }
}

impl Writer<'_> {
    fn apply(&mut self, command: Command<'_>, made: Made<'_>) -> Result<Applied, ManageError> {
        match command {
            Command::Add(new) => {
                let id = new.record.id().clone();
                self.add_new(new, made)?;
                Ok(Applied::key(self.entry(id.as_str())))
            }
            Command::Update { id, change } => {
                Ok(Applied::key(self.update_noted(id, change, made)?))
            }
            Command::Rotate { id, secret, until } => {
                Ok(Applied::key(self.rotate(id, secret, until, made)?))
            }
            Command::EndEarlierSecrets { id } => {
                Ok(Applied::key(self.end_earlier_secrets(id, made)?))
            }
            Command::Revoke { id } => {
                self.revoke(id, made)?;
                Ok(Applied::key(self.shown(id, made.at)))
            }
            Command::Delete { id } => {
                let record = self.delete(id).ok_or(ManageError::NotFound)?;
                let line = Line::of_key(Action::KeyDeleted, &record);
                self.index.history.note(made, line.with(Difference::of_keys(Some(&record), None)));
                Ok(Applied::default())
            }
            Command::NoteRefund { id, used } => {
                let Entry { record, .. } = self.find(id).ok_or(ManageError::NotFound)?;
                let line = Line::of_key(Action::QuotaRefunded, record).with(vec![used]);
                self.index.history.note(made, line);
                Ok(Applied::key(self.shown(id, made.at)))
            }
            Command::SaveAccount(account) => {
                let before = self.account(account.id().as_str());
                let after = Arc::new(account.clone());
                self.save_account(account);
                let differences = Difference::of_accounts(before.as_deref(), Some(&after));
                let line = Line::of_account(Action::AccountSaved, after.id().as_str());
                self.index.history.note(made, line.with(differences));
                Ok(Applied::account(after))
            }
            Command::DeleteAccount { id } => {
                let before = self.account(id);
                if !self.delete_account(id) {
                    return Err(ManageError::NotFound);
                }
                let differences = Difference::of_accounts(before.as_deref(), None);
                let line = Line::of_account(Action::AccountDeleted, id);
                self.index.history.note(made, line.with(differences));
                Ok(Applied::default())
            }
            Command::SavePolicy(policy) => {
                let before = self.index.policies.save(policy.clone());
                let line = Line::of_policy(Action::PolicySaved, policy.subject());
                let differences = Difference::of_policies(before.as_ref(), Some(&policy));
                self.index.history.note(made, line.with(differences));
                Ok(Applied::policy(policy))
            }
            Command::DeletePolicy(subject) => {
                let before = self.index.policies.remove(&subject).ok_or(ManageError::NotFound)?;
                let line = Line::of_policy(Action::PolicyDeleted, &subject);
                let differences = Difference::of_policies(Some(&before), None);
                self.index.history.note(made, line.with(differences));
                Ok(Applied::default())
            }
        }
    }

    fn add_new(&mut self, key: NewKey, made: Made<'_>) -> Result<(), ManageError> {
        let NewKey { digest, record, revokes_others, pepper, tail } = key;
        let (id, account) = (record.id().clone(), record.account().id().clone());
        let line = Line::of_key(Action::KeyAdded, &record);
        let line = line.with(Difference::of_keys(None, Some(&record)));
        if self.find(id.as_str()).is_some() || self.table.locate(&digest).is_some() {
            return Err(ManageError::Exists);
        }
        let others = if revokes_others { self.others_of_owner(&record) } else { Vec::new() };
        self.add(digest, record);
        self.index.accounts.keep(account.as_str());
        let mut secret = SecretEntry::new(digest, made.at);
        (secret.pepper, secret.tail) = (pepper, tail);
        self.index.history.begin(&id, secret);
        self.index.history.note(made, line);
        others.iter().try_for_each(|other| self.revoke(other, made))
    }

    /// Returns the keys of a new key's account, owner and audience that are not revoked.
    pub(super) fn others_of_owner(&self, new: &KeyRecord) -> Vec<String> {
        let keys = self.index.accounts.keys_of(new.account().id().as_str()).iter();
        let records = keys.filter_map(|at| self.table.entry(*at)).map(|entry| &entry.record);
        let alike = |record: &&KeyRecord| {
            record.owner() == new.owner() && record.audience() == new.audience()
        };
        let others = records.filter(alike).filter(|record| !record.is_revoked());
        let mut ids: Vec<String> = others.map(|record| record.id().to_string()).collect();
        ids.sort_unstable();
        ids
    }

    fn update_noted(
        &mut self,
        id: &str,
        change: KeyUpdate,
        made: Made<'_>,
    ) -> Result<KeyEntry, ManageError> {
        self.change_noted(id, change, Action::KeyUpdated, made)?;
        self.entry(id).ok_or(ManageError::NotFound)
    }

    fn change_noted(
        &mut self,
        id: &str,
        change: KeyUpdate,
        action: Action,
        made: Made<'_>,
    ) -> Result<(), ManageError> {
        let before = self.find(id).map(|entry| entry.record.clone());
        let after = self.update(id, change)?.ok_or(ManageError::NotFound)?;
        let differences = Difference::of_keys(before.as_ref(), Some(&after));
        self.index.history.note(made, Line::of_key(action, &after).with(differences));
        Ok(())
    }

    fn rotate(
        &mut self,
        id: &str,
        secret: NewSecret,
        until: Timestamp,
        made: Made<'_>,
    ) -> Result<KeyEntry, ManageError> {
        let until = self.end_of_earlier(id, until, made.at);
        // Room for the new secret, the former newest one, and the old ones whose expiry changes.
        self.make_room(2 + self.index.history.serving_after(id, until));
        let Entry { digest, record } = self.find(id).ok_or(ManageError::NotFound)?.clone();
        match KeyState::of(&record, made.at) {
            KeyState::Active => {}
            state => return Err(ManageError::NotActive(state)),
        }
        self.index.history.check_room(id, until, made.at)?;
        if self.table.locate(&secret.digest).is_some() {
            return Err(ManageError::Exists);
        }
        for gone in self.index.history.gone(id, made.at) {
            for gone in self.index.history.drop_old(record.id(), &gone) {
                self.withdraw(&gone);
            }
        }
        let mut new = SecretEntry::new(secret.digest, made.at);
        (new.pepper, new.tail) = (secret.pepper, secret.tail);
        let ending = self.index.history.rotate(record.id(), digest, new, until);
        // The new secret is valid before the old ones expire.
        self.write(secret.digest, record.clone());
        self.rewrite(&record, ending);
        self.index.history.note(made, Line::of_key(Action::KeyRotated, &record));
        self.entry(id).ok_or(ManageError::NotFound)
    }

    fn end_earlier_secrets(&mut self, id: &str, made: Made<'_>) -> Result<KeyEntry, ManageError> {
        self.make_room(self.index.history.serving_after(id, made.at));
        let Entry { digest, record } = self.find(id).ok_or(ManageError::NotFound)?.clone();
        let valid = self.index.history.valid_earlier(id, made.at);
        let ending = self.index.history.end_earlier(record.id(), digest, made.at);
        self.rewrite(&record, ending);
        let line = Line::of_key(Action::KeyUpdated, &record);
        self.index.history.note(made, line.with(Difference::of_ended_secrets(valid)));
        self.entry(id).ok_or(ManageError::NotFound)
    }

    fn revoke(&mut self, id: &str, made: Made<'_>) -> Result<(), ManageError> {
        let change: KeyUpdate = Box::new(|key| key.revoked(true));
        self.change_noted(id, change, Action::KeyRevoked, made)
    }

    pub(super) fn note_use(&mut self, digest: &KeyDigest, at: Timestamp) {
        let found = self.table.locate(digest).and_then(|location| self.table.entry(location));
        let Some(id) = found.map(|entry| entry.record.id().clone()) else { return };
        if let Some(newest) = self.find(id.as_str()).map(|entry| entry.digest) {
            self.index.history.note_use(&id, newest, digest, at);
        }
    }
}
