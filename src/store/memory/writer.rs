//! The writer, which makes changes one at a time.

use std::sync::Arc;

use super::super::manage::apply_update;
use super::history::OldDigest;
use super::index::{Index, identity};
use super::page::Entry;
use super::table::{Location, Table};
use crate::key::{Account, InvalidRecord, KeyDigest, KeyRecord, KeyRecordBuilder};
use crate::sync::{ArcSwap, MutexGuard};

/// Changes the index and the table of the readers. It holds the lock of the index.
pub(super) struct Writer<'a> {
    pub(super) index: MutexGuard<'a, Index>,
    pub(super) table: Arc<Table>,
    published: &'a ArcSwap<Table>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(index: MutexGuard<'a, Index>, published: &'a ArcSwap<Table>) -> Self {
        Self { index, table: published.load_full(), published }
    }

    /// Returns the entry of a key's newest secret.
    pub(super) fn find(&self, id: &str) -> Option<&Entry> {
        self.table.entry(self.index.find(&self.table, id)?)
    }

    /// Makes room for `more` entries. Publishes a new table if necessary.
    pub(super) fn make_room(&mut self, more: usize) {
        if let Some(table) = self.index.make_room(&self.table, more) {
            self.publish(Arc::new(table));
        }
    }

    /// Publishes another table.
    pub(super) fn publish(&mut self, table: Arc<Table>) {
        self.published.store(Arc::clone(&table));
        self.table = table;
    }

    /// Adds a key, or replaces the key of the same id.
    pub(super) fn add(&mut self, digest: KeyDigest, record: KeyRecord) {
        self.make_room(1);
        let account = self.index.accounts.canonical(record.account());
        let record = record.under(account);
        self.release(&digest, &record);
        let moved = self.index.find(&self.table, record.id().as_str());
        let moved = moved.and_then(|at| identity(&self.table, at));
        // The key belonged to another account, which loses it.
        if let Some((_, id, account)) = &moved
            && account != record.account().id()
        {
            self.index.forget(&self.table, id, account);
        }
        let old = self.index.history.forget(record.id());
        // The new secret is published before the old ones are removed, so no reader ever misses the
        // key.
        self.write(digest, record);
        let current = moved.map(|(current, ..)| current);
        for old in old.into_iter().chain(current) {
            if old != digest {
                self.withdraw(&old);
            }
        }
    }

    /// Removes a secret from another key that has it.
    fn release(&mut self, digest: &KeyDigest, record: &KeyRecord) {
        let Some(at) = self.table.locate(digest) else { return };
        let Some((_, id, account)) = identity(&self.table, at) else { return };
        if id == *record.id() {
            return;
        }
        if self.index.find(&self.table, id.as_str()) == Some(at) {
            for old in self.index.history.forget(&id) {
                self.withdraw(&old);
            }
            self.index.forget(&self.table, &id, &account);
        } else {
            for old in self.index.history.drop_old(&id, digest) {
                if old != *digest {
                    self.withdraw(&old);
                }
            }
        }
    }

    /// Changes a key. Returns `None` if no key has this id.
    pub(super) fn update(
        &mut self,
        id: &str,
        change: impl FnOnce(KeyRecordBuilder) -> KeyRecordBuilder,
    ) -> Result<Option<KeyRecord>, InvalidRecord> {
        self.make_room(1 + self.index.history.count_old(id));
        let Some(Entry { digest, record }) = self.find(id).cloned() else {
            return Ok(None);
        };
        let changed = apply_update(&record, change)?;
        // The stored state of the account applies, not the one in the changed record.
        let changed = changed.under(Arc::clone(record.account()));
        self.write(digest, changed.clone());
        self.rewrite_old(&changed);
        Ok(Some(changed))
    }

    /// Writes the record of a key for all its old secrets, each with its own expiry. The caller has made
    /// room.
    pub(super) fn rewrite_old(&mut self, record: &KeyRecord) {
        let old = self.index.history.old(record.id().as_str());
        self.rewrite(record, old);
    }

    /// Writes the record of a key for these old digests, each with its own expiry. The caller has made room.
    pub(super) fn rewrite(&mut self, record: &KeyRecord, digests: Vec<OldDigest>) {
        for (digest, expires) in digests {
            if let Some(at) = self.index.next_location() {
                let record = record.ending(expires);
                self.table.place(at, Entry { digest, record });
                self.table.publish(&digest, at);
            }
        }
    }

    /// Deletes a key, and returns its record.
    pub(super) fn delete(&mut self, id: &str) -> Option<KeyRecord> {
        let Entry { digest, record } = self.find(id)?.clone();
        for old in self.index.history.forget(record.id()) {
            self.withdraw(&old);
        }
        // The loop above includes the newest secret of some keys. A second withdrawal has no
        // effect.
        self.withdraw(&digest);
        self.index.forget(&self.table, record.id(), record.account().id());
        Some(record)
    }

    /// Adds or replaces an account.
    pub(super) fn save_account(&mut self, account: Account) {
        let account = self.index.accounts.save(account);
        let id = account.id().as_str();
        let old = self.index.history.all_old();
        self.make_room(self.index.accounts.keys_of(id).len() + old);
        for at in self.index.accounts.take_keys(id) {
            if let Some(Entry { digest, record }) = self.table.entry(at).cloned() {
                let record = record.under(Arc::clone(&account));
                if let Some(at) = self.place(digest, record.clone()) {
                    self.index.accounts.join(&account, at, None);
                }
                self.rewrite_old(&record);
            }
        }
    }

    /// Deletes an account and all its keys. Returns false if no account has this id.
    pub(super) fn delete_account(&mut self, id: &str) -> bool {
        let known = self.index.accounts.get(id).is_some();
        for at in self.index.accounts.take_keys(id) {
            let id = self.table.entry(at).map(|entry| entry.record.id().clone());
            if let Some(id) = id {
                self.delete(id.as_str());
            }
        }
        self.index.accounts.remove(id);
        known
    }

    /// Publishes a record under a digest. It replaces the entry of the same digest, and the location of its
    /// key.
    pub(super) fn write(&mut self, digest: KeyDigest, record: KeyRecord) {
        let account = Arc::clone(record.account());
        let before = self.index.find(&self.table, record.id().as_str());
        if let Some(at) = self.place(digest, record) {
            self.index.accounts.join(&account, at, before);
        }
    }

    /// Publishes a record as [`write`](Self::write) does, but leaves the account's list of keys unchanged.
    /// Returns the location of the record.
    pub(super) fn place(&mut self, digest: KeyDigest, record: KeyRecord) -> Option<Location> {
        let at = self.index.next_location();
        debug_assert!(at.is_some(), "the caller has made room");
        let at = at?;
        self.table.place(at, Entry { digest, record });
        self.table.publish(&digest, at);
        self.index.note(&self.table, &self.table.entry(at)?.record, at);
        Some(at)
    }

    /// Hides a digest from readers.
    pub(super) fn withdraw(&mut self, digest: &KeyDigest) {
        if self.table.locate(digest).is_some() {
            self.table.withdraw(digest);
            self.index.withdrawn();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::MemoryStore;
    use crate::key::{Account, InvalidRecord, KeyDigest, KeyRecord};

    const SECRET: KeyDigest = KeyDigest::from_bytes([7; 32]);

    fn record(id: &str, account: &str) -> KeyRecord {
        KeyRecord::bare(id, account)
    }

    #[test]
    fn a_deleted_key_is_not_restored() {
        let store = MemoryStore::new();
        store.add_now(SECRET, record("key", "acme"));
        assert!(store.delete_now("key") && !store.delete_now("key"));
        assert_eq!(store.update_now("key", |key| key.disabled(false)), Ok(false));
        store.save_account_now(Account::builder("acme").build().unwrap());
        assert!(store.is_empty() && store.records("acme").is_empty());
    }

    #[test]
    fn an_update_is_made_completely_or_not_at_all() {
        let store = MemoryStore::new();
        store.add_now(SECRET, record("key", "acme"));
        assert!(store.update_now("key", |key| key.revoked(true).scopes(["no space"])).is_err());
        assert!(!store.records("acme")[0].is_revoked());
        assert_eq!(store.update_now("key", |key| key.revoked(true)), Ok(true));
        assert_eq!(store.update_now("key", |key| key.revoked(false)), Ok(true));
        assert!(store.records("acme")[0].is_revoked(), "a revocation is final");
    }

    #[test]
    fn an_update_changes_neither_id_nor_account_nor_its_state() {
        let store = MemoryStore::new();
        store.add_now(SECRET, record("key", "acme"));
        store.save_account_now(Account::builder("acme").disabled(true).build().unwrap());
        for (id, account) in [("other", "acme"), ("key", "other")] {
            let stale = record(id, account);
            assert_eq!(store.update_now("key", |_| stale.edit()), Err(InvalidRecord::Identity));
        }
        let stale = record("key", "acme").edit().revoked(true);
        assert_eq!(store.update_now("key", |_| stale), Ok(true));
        let edited = &store.records("acme")[0];
        assert!(edited.is_revoked() && edited.is_disabled(), "a stale account enables nothing");
    }
}
