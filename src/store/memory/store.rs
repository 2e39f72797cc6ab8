//! The store.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::super::manage::Retention;
use super::super::{KeyStore, StoreError};
use super::index::Index;
use super::table::{Location, Table};
use super::writer::Writer;
use crate::clock::{Clock, SystemClock};
use crate::key::{Account, InvalidRecord, KeyDigest, KeyRecord, KeyRecordBuilder, SharedRecord};
use crate::sync::{ArcSwap, Mutex, Reply, lock};

/// Keeps keys in memory. Clones share one set of keys.
///
/// A lookup takes no lock. Writers take turns; when one returns, its change holds for every
/// request that starts from then on. A change takes a few microseconds; every so often one makes
/// room for the next, which takes as long as copying the whole table (0.1 s for a million keys)
/// and disturbs no reader. An account's change rewrites the records of all its keys.
///
/// It is a [`KeyManager`](crate::store::KeyManager), too; its audit trail keeps the newest 10,000 changes, and a
/// list reads all keys. The methods that end in `_now` do what the manager's methods of the same name do,
/// but are done when they return, write no line of the trail, and replace what is there.
///
/// ```
/// use tower_api_key::key::{Account, KeyHasher, KeyRecord};
/// use tower_api_key::store::MemoryStore;
///
/// # fn main() -> Result<(), tower_api_key::key::InvalidRecord> {
/// let store = MemoryStore::new();
/// let acme = Account::builder("acme").scopes(["read"]).build()?;
/// let record = KeyRecord::builder("key_1", acme).build()?;
/// store.add_now(KeyHasher::sha256().digest(b"the key's text"), record);
///
/// // Every key that inherits its account's scopes may write from now on.
/// store.save_account_now(Account::builder("acme").scopes(["read", "write"]).build()?);
/// assert!(store.records("acme")[0].scopes().contains("write"));
///
/// // Refused from here on.
/// assert!(store.update_now("key_1", |key| key.revoked(true))?);
/// assert!(store.records("acme")[0].is_revoked());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct MemoryStore(pub(super) Arc<SharedStore>);

pub(super) struct SharedStore {
    pub(super) clock: Arc<dyn Clock>,
    // What readers see: swapped when it has to grow, written in place otherwise.
    pub(super) table: ArcSwap<Table>,
    index: Mutex<Index>,
}

impl Default for SharedStore {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            table: ArcSwap::from_pointee(Table::with_room_for(0)),
            index: Mutex::default(),
        }
    }
}

impl KeyStore for MemoryStore {
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        Reply::now(Ok(self.0.table.load().find(digest)))
    }
}

impl MemoryStore {
    /// Creates an empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates an empty store that tells the time of changes by this clock.
    pub fn with_clock(clock: impl Clock) -> Self {
        Self(Arc::new(SharedStore { clock: Arc::new(clock), ..SharedStore::default() }))
    }

    /// Keeps a secret that has ended for so long, 30 days unless set; see
    /// [`KeyEntry`](crate::store::KeyEntry). The first rotation of its key after that time removes it.
    pub fn keep_ended_secrets(self, time: Duration) -> Self {
        self.writer().index.history.retention = Retention::new(time);
        self
    }

    /// Adds a key, or replaces the one of the same id, whose old secret then serves no more; a
    /// secret belongs to the last id that it was added with. If the store knows the account
    /// already, its state there counts, not the record's.
    pub fn add_now(&self, digest: KeyDigest, record: KeyRecord) {
        self.writer().add(digest, record);
    }

    /// Changes a key. Returns whether there is one of this id; a deleted key is not brought back.
    /// Takes longer for an account of many keys: some 15 µs for 100,000. Writers wait while `change` runs, so it must not call the store.
    ///
    /// # Errors
    ///
    /// [`InvalidRecord`] if the change makes no valid record, or one of another key or account;
    /// nothing is changed then.
    pub fn update_now(
        &self,
        id: &str,
        change: impl FnOnce(KeyRecordBuilder) -> KeyRecordBuilder,
    ) -> Result<bool, InvalidRecord> {
        Ok(self.writer().update(id, change)?.is_some())
    }

    /// Deletes a key at once. Returns whether there was one of this id. An account that was never
    /// [saved](Self::save_account_now) is forgotten with its last key.
    pub fn delete_now(&self, id: &str) -> bool {
        self.writer().delete(id).is_some()
    }

    /// Adds or replaces an account; all its keys are under its new state at once. It stays when its
    /// last key goes.
    pub fn save_account_now(&self, account: Account) {
        self.writer().save_account(account);
    }

    /// Deletes an account and all its keys at once. Returns whether there was one of this id.
    pub fn delete_account_now(&self, id: &str) -> bool {
        self.writer().delete_account(id)
    }

    /// Returns the account's state.
    pub fn find_account_now(&self, id: &str) -> Option<Arc<Account>> {
        let writer = self.writer();
        writer.index.accounts.get(id).map(|members| Arc::clone(&members.account))
    }

    /// Lists the records of an account, in the order of their ids.
    pub fn records(&self, account: &str) -> Vec<SharedRecord> {
        let writer = self.writer();
        let keys = writer.index.accounts.keys_of(account);
        let shared = |at: &Location| writer.table.find(&writer.table.entry(*at)?.digest);
        let mut found: Vec<SharedRecord> = keys.iter().filter_map(shared).collect();
        found.sort_by(|one, other| one.id().cmp(other.id()));
        found
    }

    /// Returns the number of keys.
    pub fn len(&self) -> usize {
        self.writer().index.len()
    }

    /// Tells whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn writer(&self) -> Writer<'_> {
        // A writer that panicked (in a caller's closure) has not begun to write.
        let index = lock(&self.0.index);
        Writer::new(index, &self.0.table)
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "MemoryStore({} keys)", self.len())
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
        let account = Account::builder(account).scopes(["read"]).build().unwrap();
        KeyRecord::builder(id, account).build().unwrap()
    }

    fn found(store: &MemoryStore, text: &str) -> Option<String> {
        let record = store.0.table.load().find(&digest(text));
        record.map(|record| record.id().to_string())
    }

    fn ids(store: &MemoryStore, account: &str) -> Vec<String> {
        let records = store.records(account);
        records.iter().map(|record| record.id().to_string()).collect()
    }

    #[test]
    fn one_id_has_one_secret_and_one_account() {
        let store = MemoryStore::new();
        store.add_now(digest("old"), record("key", "acme"));
        store.add_now(digest("new"), record("key", "acme"));
        assert_eq!((found(&store, "old"), store.len()), (None, 1));
        assert_eq!(found(&store, "new").as_deref(), Some("key"));
        store.add_now(digest("new"), record("key", "other"));
        assert_eq!((ids(&store, "acme").len(), ids(&store, "other").len()), (0, 1));
        store.add_now(digest("newer"), record("key", "acme"));
        assert_eq!((ids(&store, "acme").len(), ids(&store, "other").len()), (1, 0));
    }

    #[test]
    fn one_secret_has_one_id() {
        let store = MemoryStore::new();
        store.add_now(digest("same"), record("first", "acme"));
        store.add_now(digest("same"), record("second", "acme"));
        assert_eq!(ids(&store, "acme"), ["second"]);
        assert!(!store.delete_now("first") && found(&store, "same").is_some());
        assert!(store.delete_now("second") && found(&store, "same").is_none());
    }

    #[test]
    fn a_store_tells_how_many_keys_it_has() {
        let store = MemoryStore::new();
        assert!(store.is_empty());
        assert_eq!(store.len(), 0);
        store.add_now(digest("a"), record("key", "acme"));
        assert!(!store.is_empty() && store.len() == 1);
        assert_eq!(format!("{store:?}"), "MemoryStore(1 keys)");
    }

    /// The slots of deleted keys are counted, or the table would be full of them.
    #[test]
    fn keys_that_come_and_go_leave_room_for_others() {
        let store = MemoryStore::new();
        for number in 0..3_000 {
            let (secret, id) = (format!("secret {number}"), format!("key_{number}"));
            store.add_now(digest(&secret), record(&id, "acme"));
            assert!(found(&store, &secret).is_some(), "{number}");
            assert!(store.delete_now(&id) && found(&store, &secret).is_none(), "{number}");
        }
    }

    #[test]
    fn the_accounts_state_in_the_store_counts() {
        let store = MemoryStore::new();
        store.save_account_now(Account::builder("acme").scopes(["write"]).build().unwrap());
        store.add_now(digest("a"), record("key", "acme"));
        assert!(store.records("acme")[0].scopes().contains("write"));
        store.save_account_now(Account::builder("acme").disabled(true).build().unwrap());
        assert!(store.records("acme")[0].is_disabled());
        assert!(store.find_account_now("acme").unwrap().is_disabled());
    }

    #[test]
    fn accounts_with_equal_scopes_share_one_set() {
        let store = MemoryStore::new();
        for account in ["one", "two"] {
            let scopes = ["users.read", "users.write"];
            store.save_account_now(Account::builder(account).scopes(scopes).build().unwrap());
        }
        let first = |account| {
            let account = store.find_account_now(account).unwrap();
            account.scopes().iter().next().unwrap().as_ptr()
        };
        assert_eq!(first("one"), first("two"));
    }

    #[test]
    fn readers_never_miss_a_key_that_is_being_replaced() {
        let store = MemoryStore::new();
        store.add_now(digest("a"), record("key", "acme"));
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                for round in 0..5_000 {
                    store.add_now(digest("a"), record("key", "acme"));
                    let flip = |key: KeyRecordBuilder| key.disabled(round % 2 == 0);
                    assert_eq!(store.update_now("key", flip), Ok(true));
                    store.save_account_now(Account::builder("acme").build().unwrap());
                }
            });
            while !writer.is_finished() {
                assert!(found(&store, "a").is_some());
            }
        });
    }
}
