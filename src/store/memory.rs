//! A store in memory: lock-free to read, every change visible to the next request.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Found, KeyStore};
use crate::eventually::Eventually;
use crate::key::{
    Account, AccountId, InvalidRecord, KeyDigest, KeyId, KeyRecord, KeyRecordBuilder,
};

/// Keeps keys in memory. Clones share one set of keys.
///
/// A lookup takes no lock. Writers take turns; when one returns, its change holds for every
/// request that starts from then on. An account's change rewrites the records of all its keys.
///
/// ```
/// use std::sync::Arc;
/// use tower_api_key::key::{Account, KeyHasher, KeyRecord};
/// use tower_api_key::store::MemoryStore;
///
/// # fn main() -> Result<(), tower_api_key::key::InvalidRecord> {
/// let store = MemoryStore::new();
/// let acme = Arc::new(Account::builder("acme").scopes(["read"]).build()?);
/// let record = KeyRecord::builder("key_1", acme).build()?;
/// store.insert(KeyHasher::sha256().digest(b"the key's text"), record);
///
/// // Every key that inherits its account's scopes may write from now on.
/// store.put_account(Account::builder("acme").scopes(["read", "write"]).build()?);
/// assert!(store.records("acme")[0].scopes().contains("write"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct MemoryStore(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    records: papaya::HashMap<KeyDigest, Arc<KeyRecord>, BuildHasherDefault<DigestIsHash>>,
    // Taken by writers only; what it guards leads from names to digests.
    index: Mutex<Index>,
}

#[derive(Debug, Default)]
struct Index {
    digests: HashMap<KeyId, KeyDigest>,
    accounts: HashMap<AccountId, Members>,
}

#[derive(Debug)]
struct Members {
    account: Arc<Account>,
    keys: HashSet<KeyId>,
}

/// Takes a digest's own bytes as its hash: they are random already, and no client can steer them.
#[derive(Debug, Default)]
struct DigestIsHash(u64);

impl Hasher for DigestIsHash {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = word;
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }
}

impl KeyStore for MemoryStore {
    fn find(&self, digest: &KeyDigest) -> Eventually<Found> {
        Eventually::now(Ok(self.0.records.pin().get(digest).cloned()))
    }
}

impl MemoryStore {
    /// Creates an empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key, or replaces the one of the same id, whose old secret then serves no more; a
    /// secret belongs to the last id that it was inserted with. If the store knows the account
    /// already, its state there counts, not the record's.
    pub fn insert(&self, digest: KeyDigest, mut record: KeyRecord) {
        let mut index = self.index();
        let records = self.0.records.pin();
        let id = record.id().clone();
        let account = record.account().id().clone();
        if let Some(members) = index.accounts.get(&account) {
            record = record.under(Arc::clone(&members.account));
        }
        let record = Arc::new(record);
        // The new secret serves before the old one stops, so no reader ever misses the key.
        let former = records.insert(digest, Arc::clone(&record)).cloned();
        let moved = index.digests.insert(id.clone(), digest).filter(|old| *old != digest);
        let replaced = moved.and_then(|old| records.remove(&old).cloned());
        for gone in former.into_iter().chain(replaced) {
            index.forget(gone.account().id(), gone.id());
            if *gone.id() != id {
                index.digests.remove(gone.id());
            }
        }
        let members = index.accounts.entry(account).or_insert_with(|| Members {
            account: Arc::clone(record.account()),
            keys: HashSet::new(),
        });
        members.keys.insert(id);
    }

    /// Changes a key. Returns whether there is one of this id; a deleted key is not brought back.
    /// Writers wait while `change` runs, so it must not call the store.
    ///
    /// # Errors
    ///
    /// [`InvalidRecord`] if the change makes no valid record, or one of another key or account;
    /// nothing is changed then.
    pub fn edit(
        &self,
        id: &str,
        change: impl FnOnce(KeyRecordBuilder) -> KeyRecordBuilder,
    ) -> Result<bool, InvalidRecord> {
        let index = self.index();
        let Some(digest) = index.digests.get(id) else {
            return Ok(false);
        };
        let records = self.0.records.pin();
        let Some(record) = records.get(digest) else {
            return Ok(false);
        };
        let changed = change(record.edit()).build()?;
        if changed.id() != record.id() || changed.account().id() != record.account().id() {
            return Err(InvalidRecord::Identity);
        }
        // Whatever state of the account the change brought along, the store's counts.
        records.insert(*digest, Arc::new(changed.under(Arc::clone(record.account()))));
        Ok(true)
    }

    /// Deletes a key at once. Returns whether there was one of this id.
    pub fn remove(&self, id: &str) -> bool {
        let mut index = self.index();
        let Some((id, digest)) = index.digests.remove_entry(id) else {
            return false;
        };
        if let Some(record) = self.0.records.pin().remove(&digest) {
            index.forget(record.account().id(), &id);
        }
        true
    }

    /// Adds or replaces an account; all its keys are under its new state at once.
    pub fn put_account(&self, account: Account) {
        let account = Arc::new(account);
        let mut index = self.index();
        let Index { digests, accounts } = &mut *index;
        let members = accounts
            .entry(account.id().clone())
            .or_insert_with(|| Members { account: Arc::clone(&account), keys: HashSet::new() });
        members.account = Arc::clone(&account);
        let records = self.0.records.pin();
        for digest in members.keys.iter().filter_map(|key| digests.get(key)) {
            if let Some(record) = records.get(digest) {
                records.insert(*digest, Arc::new(record.under(Arc::clone(&account))));
            }
        }
    }

    /// Returns the account's state.
    pub fn account(&self, id: &str) -> Option<Arc<Account>> {
        let index = self.index();
        index.accounts.get(id).map(|members| Arc::clone(&members.account))
    }

    /// Lists the records of an account, in the order of their ids.
    pub fn records(&self, account: &str) -> Vec<Arc<KeyRecord>> {
        let index = self.index();
        let records = self.0.records.pin();
        let keys = index.accounts.get(account).into_iter().flat_map(|members| &members.keys);
        let mut found: Vec<Arc<KeyRecord>> = keys
            .filter_map(|key| index.digests.get(key))
            .filter_map(|digest| records.get(digest).cloned())
            .collect();
        found.sort_by(|one, other| one.id().cmp(other.id()));
        found
    }

    /// Returns the number of keys.
    pub fn len(&self) -> usize {
        self.0.records.len()
    }

    /// Tells whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.0.records.is_empty()
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        // A writer that panicked (in a caller's closure) has not begun to write.
        self.0.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Index {
    fn forget(&mut self, account: &AccountId, key: &KeyId) {
        if let Some(members) = self.accounts.get_mut(account) {
            members.keys.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyHasher;

    fn digest(text: &str) -> KeyDigest {
        KeyHasher::sha256().digest(text.as_bytes())
    }

    fn record(id: &str, account: &str) -> KeyRecord {
        let account = Arc::new(Account::builder(account).scopes(["read"]).build().unwrap());
        KeyRecord::builder(id, account).build().unwrap()
    }

    fn found(store: &MemoryStore, text: &str) -> Option<String> {
        let records = store.0.records.pin();
        records.get(&digest(text)).map(|record| record.id().to_string())
    }

    fn ids(store: &MemoryStore, account: &str) -> Vec<String> {
        let records = store.records(account);
        records.iter().map(|record| record.id().to_string()).collect()
    }

    #[test]
    fn one_id_has_one_secret_and_one_account() {
        let store = MemoryStore::new();
        store.insert(digest("old"), record("key", "acme"));
        store.insert(digest("new"), record("key", "acme"));
        assert_eq!((found(&store, "old"), store.len()), (None, 1));
        assert_eq!(found(&store, "new").as_deref(), Some("key"));
        store.insert(digest("new"), record("key", "other"));
        assert_eq!((ids(&store, "acme").len(), ids(&store, "other").len()), (0, 1));
        store.insert(digest("newer"), record("key", "acme"));
        assert_eq!((ids(&store, "acme").len(), ids(&store, "other").len()), (1, 0));
    }

    #[test]
    fn one_secret_has_one_id() {
        let store = MemoryStore::new();
        store.insert(digest("same"), record("first", "acme"));
        store.insert(digest("same"), record("second", "acme"));
        assert_eq!(ids(&store, "acme"), ["second"]);
        assert!(!store.remove("first") && found(&store, "same").is_some());
        assert!(store.remove("second") && found(&store, "same").is_none());
    }

    #[test]
    fn a_deleted_key_is_not_brought_back() {
        let store = MemoryStore::new();
        store.insert(digest("a"), record("key", "acme"));
        assert!(store.remove("key") && !store.remove("key"));
        assert_eq!(store.edit("key", |key| key.disabled(false)), Ok(false));
        store.put_account(Account::builder("acme").build().unwrap());
        assert!(store.is_empty() && ids(&store, "acme").is_empty());
    }

    #[test]
    fn an_edit_holds_whole_or_not_at_all() {
        let store = MemoryStore::new();
        store.insert(digest("a"), record("key", "acme"));
        assert!(store.edit("key", |key| key.revoked(true).scopes(["no space"])).is_err());
        assert!(!store.records("acme")[0].is_revoked());
        assert_eq!(store.edit("key", |key| key.revoked(true)), Ok(true));
        assert!(store.records("acme")[0].is_revoked());
    }

    #[test]
    fn an_edit_changes_neither_id_nor_account_nor_its_state() {
        let store = MemoryStore::new();
        store.insert(digest("a"), record("key", "acme"));
        store.put_account(Account::builder("acme").disabled(true).build().unwrap());
        for (id, account) in [("other", "acme"), ("key", "other")] {
            let stale = record(id, account);
            assert_eq!(store.edit("key", |_| stale.edit()), Err(InvalidRecord::Identity));
        }
        let stale = record("key", "acme").edit().revoked(true);
        assert_eq!(store.edit("key", |_| stale), Ok(true));
        let edited = &store.records("acme")[0];
        assert!(edited.is_revoked() && edited.is_disabled(), "a stale account enables nothing");
    }

    #[test]
    fn the_accounts_state_in_the_store_counts() {
        let store = MemoryStore::new();
        store.put_account(Account::builder("acme").scopes(["write"]).build().unwrap());
        store.insert(digest("a"), record("key", "acme"));
        assert!(store.records("acme")[0].scopes().contains("write"));
        store.put_account(Account::builder("acme").disabled(true).build().unwrap());
        assert!(store.records("acme")[0].is_disabled());
        assert!(store.account("acme").unwrap().is_disabled());
    }

    #[test]
    fn readers_never_miss_a_key_that_is_being_replaced() {
        let store = MemoryStore::new();
        store.insert(digest("a"), record("key", "acme"));
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                for round in 0..5_000 {
                    store.insert(digest("a"), record("key", "acme"));
                    let flip = |key: KeyRecordBuilder| key.disabled(round % 2 == 0);
                    assert_eq!(store.edit("key", flip), Ok(true));
                    store.put_account(Account::builder("acme").build().unwrap());
                }
            });
            while !writer.is_finished() {
                assert!(found(&store, "a").is_some());
            }
        });
    }
}
