//! Management of the keys in memory. Every change is made before the method returns its future.

use std::future::ready;
use std::sync::Arc;

use super::super::manage::{
    Action, Change, KeyEntry, KeyFilter, KeyManager, KeyState, KeyUpdate, ManageError,
    ManageFuture, NewKey, NewSecret, PepperManager, SecretEntry, check_author,
};
use super::page::Entry;
use super::store::MemoryStore;
use super::writer::Writer;
use crate::clock::Timestamp;
use crate::key::{Account, AccountId, KeyDigest, KeyRecord};

/// The instant and the author of a change.
pub(super) type Made<'a> = (Timestamp, &'a str);

pub(super) fn now<'a, T: Send + 'a>(answer: Result<T, ManageError>) -> ManageFuture<'a, T> {
    Box::pin(ready(answer))
}

impl KeyManager for MemoryStore {
    fn add<'a>(&'a self, key: NewKey, by: &'a str) -> ManageFuture<'a, ()> {
        now(self.made(by).and_then(|made| self.writer().add_new(key, made)))
    }

    fn import<'a>(&'a self, keys: Vec<NewKey>, by: &'a str) -> ManageFuture<'a, u64> {
        now(self.made(by).map(|made| {
            let mut writer = self.writer();
            let keys = keys.into_iter().map(|key| NewKey { revokes_others: false, ..key });
            keys.map(|key| u64::from(writer.add_new(key, made).is_ok())).sum()
        }))
    }

    fn get<'a>(&'a self, id: &'a str) -> ManageFuture<'a, Option<KeyEntry>> {
        now(Ok(self.writer().shown(id, self.0.clock.now())))
    }

    fn list<'a>(
        &'a self,
        filter: &'a KeyFilter,
        after: Option<&'a str>,
        limit: usize,
    ) -> ManageFuture<'a, Vec<KeyEntry>> {
        let (writer, at) = (self.writer(), self.0.clock.now());
        let mut ids: Vec<&str> = writer
            .index
            .all()
            .filter_map(|location| writer.table.entry(location))
            .filter(|entry| filter.chooses(&entry.record, at))
            .map(|entry| entry.record.id().as_str())
            .filter(|id| after.is_none_or(|after| *id > after))
            .collect();
        ids.sort_unstable();
        now(Ok(ids.into_iter().take(limit).filter_map(|id| writer.shown(id, at)).collect()))
    }

    fn update<'a>(
        &'a self,
        id: &'a str,
        change: KeyUpdate,
        by: &'a str,
    ) -> ManageFuture<'a, KeyEntry> {
        now(self.made(by).and_then(|made| self.writer().update_noted(id, change, made)))
    }

    fn rotate<'a>(
        &'a self,
        id: &'a str,
        secret: KeyDigest,
        until: Timestamp,
        by: &'a str,
    ) -> ManageFuture<'a, KeyEntry> {
        self.rotate_to(id, secret.into(), until, by)
    }

    fn revoke<'a>(&'a self, id: &'a str, by: &'a str) -> ManageFuture<'a, ()> {
        now(self.made(by).and_then(|made| self.writer().revoke(id, made)))
    }

    fn delete<'a>(&'a self, id: &'a str, by: &'a str) -> ManageFuture<'a, ()> {
        now(self.made(by).and_then(|made| {
            let mut writer = self.writer();
            let record = writer.delete(id).ok_or(ManageError::NotFound)?;
            let account = record.account().id().as_str();
            writer.index.history.note(made, Action::KeyDeleted, Some(id), account);
            Ok(())
        }))
    }

    fn save_account<'a>(&'a self, account: Account, by: &'a str) -> ManageFuture<'a, ()> {
        now(self.made(by).map(|made| {
            let mut writer = self.writer();
            let id = account.id().clone();
            writer.save_account(account);
            writer.index.history.note(made, Action::AccountSaved, None, id.as_str());
        }))
    }

    fn find_account<'a>(&'a self, id: &'a str) -> ManageFuture<'a, Option<Arc<Account>>> {
        now(Ok(self.find_account_now(id)))
    }

    fn list_accounts<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: usize,
    ) -> ManageFuture<'a, Vec<Arc<Account>>> {
        let writer = self.writer();
        let later = |id: &&AccountId| after.is_none_or(|after| id.as_str() > after);
        let mut ids: Vec<&AccountId> = writer.index.accounts.ids().filter(later).collect();
        ids.sort_unstable();
        let accounts = ids.into_iter().take(limit).filter_map(|id| {
            writer.index.accounts.get(id.as_str()).map(|members| Arc::clone(&members.account))
        });
        now(Ok(accounts.collect()))
    }

    fn delete_account<'a>(&'a self, id: &'a str, by: &'a str) -> ManageFuture<'a, ()> {
        now(self.made(by).and_then(|made| {
            let mut writer = self.writer();
            if !writer.delete_account(id) {
                return Err(ManageError::NotFound);
            }
            writer.index.history.note(made, Action::AccountDeleted, None, id);
            Ok(())
        }))
    }

    fn changes(&self, sequence: u64, limit: usize) -> ManageFuture<'_, Vec<Change>> {
        now(Ok(self.writer().index.history.changes(sequence, limit)))
    }

    fn note_uses(&self, uses: Vec<(KeyDigest, Timestamp)>) -> ManageFuture<'_, ()> {
        let mut writer = self.writer();
        for (digest, at) in uses {
            writer.note_use(&digest, at);
        }
        now(Ok(()))
    }
}

impl MemoryStore {
    pub(super) fn made<'a>(&self, by: &'a str) -> Result<Made<'a>, ManageError> {
        check_author(by)?;
        Ok((self.0.clock.now(), by))
    }
}

impl Writer<'_> {
    fn entry(&self, id: &str) -> Option<KeyEntry> {
        let Entry { digest, record } = self.find(id)?.clone();
        let (created, secrets) = self.index.history.of(id, digest);
        Some(KeyEntry { record, created, secrets })
    }

    /// Returns a key without the secrets that expired longer ago than the retention.
    fn shown(&self, id: &str, at: Timestamp) -> Option<KeyEntry> {
        let mut entry = self.entry(id)?;
        self.index.history.retention.hide(&mut entry.secrets, at);
        Some(entry)
    }

    fn add_new(&mut self, key: NewKey, made: Made<'_>) -> Result<(), ManageError> {
        let NewKey { digest, record, revokes_others, pepper } = key;
        let (id, account) = (record.id().clone(), record.account().id().clone());
        if self.find(id.as_str()).is_some() || self.table.locate(&digest).is_some() {
            return Err(ManageError::Exists);
        }
        let others = if revokes_others { self.others_of_owner(&record) } else { Vec::new() };
        self.add(digest, record);
        self.index.accounts.keep(account.as_str());
        let mut secret = SecretEntry::new(digest, made.0);
        secret.pepper = pepper;
        self.index.history.begin(&id, secret);
        let history = &mut self.index.history;
        history.note(made, Action::KeyAdded, Some(id.as_str()), account.as_str());
        others.iter().try_for_each(|other| self.revoke(other, made))
    }

    /// Returns the keys of a new key's account, owner and audience that are not revoked.
    fn others_of_owner(&self, new: &KeyRecord) -> Vec<String> {
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
        let updated = self.update(id, change)?.ok_or(ManageError::NotFound)?;
        let account = updated.account().id();
        self.index.history.note(made, Action::KeyUpdated, Some(id), account.as_str());
        self.entry(id).ok_or(ManageError::NotFound)
    }

    pub(super) fn rotate(
        &mut self,
        id: &str,
        secret: NewSecret,
        until: Timestamp,
        made: Made<'_>,
    ) -> Result<KeyEntry, ManageError> {
        // Room for the new secret, the former newest one, and the old ones whose expiry changes.
        self.make_room(2 + self.index.history.serving_after(id, until));
        let Entry { digest, record } = self.find(id).ok_or(ManageError::NotFound)?.clone();
        match KeyState::of(&record, made.0) {
            KeyState::Active => {}
            state => return Err(ManageError::NotActive(state)),
        }
        if self.table.locate(&secret.digest).is_some() {
            return Err(ManageError::Exists);
        }
        for gone in self.index.history.gone(id, made.0) {
            for gone in self.index.history.drop_old(record.id(), &gone) {
                self.withdraw(&gone);
            }
        }
        let mut new = SecretEntry::new(secret.digest, made.0);
        new.pepper = secret.pepper;
        let ending = self.index.history.rotate(record.id(), digest, new, until);
        // The new secret is valid before the old ones expire.
        self.write(secret.digest, record.clone());
        self.rewrite(&record, ending);
        let account = record.account().id();
        self.index.history.note(made, Action::KeyRotated, Some(id), account.as_str());
        self.entry(id).ok_or(ManageError::NotFound)
    }

    fn revoke(&mut self, id: &str, made: Made<'_>) -> Result<(), ManageError> {
        let revoked = self.update(id, |key| key.revoked(true))?.ok_or(ManageError::NotFound)?;
        let account = revoked.account().id();
        self.index.history.note(made, Action::KeyRevoked, Some(id), account.as_str());
        Ok(())
    }

    fn note_use(&mut self, digest: &KeyDigest, at: Timestamp) {
        let found = self.table.locate(digest).and_then(|location| self.table.entry(location));
        let Some(id) = found.map(|entry| entry.record.id().clone()) else { return };
        if let Some(newest) = self.find(id.as_str()).map(|entry| entry.digest) {
            self.index.history.note_use(&id, newest, digest, at);
        }
    }
}
