//! The store in memory.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::super::manage::Retention;
use super::index::Index;
use super::table::{Location, Table};
use super::writer::Writer;
use crate::clock::{Clock, SystemClock};
use crate::key::{Account, InvalidRecord, KeyDigest, KeyRecord, KeyRecordBuilder, SharedRecord};
use crate::sync::{ArcSwap, Mutex, lock};

/// Keeps keys in memory. Clones share one set of keys.
///
/// A lookup takes no lock. Changes are made one after another. When a change returns, it applies to every
/// request that starts afterwards. A change takes a few microseconds. From time to time a change has to make
/// room, which takes as long as copying the whole table: 0.1 seconds for a million keys. Lookups go on
/// meanwhile. A change of an account rewrites the records of all its keys.
///
/// The store implements [`KeyManager`](crate::store::KeyManager). Its audit trail keeps the newest 10,000
/// changes. Listing keys reads all keys. A method that ends in `_now` corresponds to the method of the
/// trait without `_now`. It is synchronous, writes no line of the trail, and obeys no [policy](crate::policy): a program
/// that sets policies adds and changes keys by the trait. `add_now` replaces a key that exists.
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
/// // Every key that inherits its account's scopes can write from now on.
/// store.save_account_now(Account::builder("acme").scopes(["read", "write"]).build()?);
/// assert!(store.records("acme")[0].scopes().contains("write"));
///
/// // The key is refused from now on.
/// assert!(store.update_now("key_1", |key| key.revoked(true))?);
/// assert!(store.records("acme")[0].is_revoked());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct MemoryStore(pub(super) Arc<SharedStore>);

pub(super) struct SharedStore {
    pub(super) clock: Arc<dyn Clock>,
    // Readers use this table. It is written in place, and replaced only when it has to grow.
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

impl MemoryStore {
    /// Creates an empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates an empty store that takes the time of changes from this clock.
    pub fn with_clock(clock: impl Clock) -> Self {
        Self(Arc::new(SharedStore { clock: Arc::new(clock), ..SharedStore::default() }))
    }

    /// Sets how long an expired secret is kept: 30 days unless set. The first rotation of its key after that
    /// time deletes the secret. See [`KeyEntry`](crate::store::KeyEntry).
    pub fn keep_ended_secrets(self, time: Duration) -> Self {
        self.writer().index.history.retention = Retention::new(time);
        self
    }

    /// Adds a key, or replaces the key of the same id. The secrets of the replaced key are removed.
    ///
    /// A secret that belongs to another key is taken from that key. A key that loses its newest secret is
    /// removed. If the store has the account already, the stored state of the account applies, not the
    /// record's.
    pub fn add_now(&self, digest: KeyDigest, record: KeyRecord) {
        self.writer().add(digest, record);
    }

    /// Changes a key. Returns false if no key has this id. A deleted key is not restored.
    ///
    /// The change takes longer for an account with many keys: about 15 microseconds for 100,000. Other
    /// changes wait while `change` runs. `change` must not call the store.
    ///
    /// # Errors
    ///
    /// [`InvalidRecord`] if the changed record is not valid, or has another id or account. Nothing is changed
    /// then.
    pub fn update_now(
        &self,
        id: &str,
        change: impl FnOnce(KeyRecordBuilder) -> KeyRecordBuilder,
    ) -> Result<bool, InvalidRecord> {
        Ok(self.writer().update(id, change)?.is_some())
    }

    /// Deletes a key at once. Returns false if no key has this id. An account that was never
    /// [saved](Self::save_account_now) is removed with its last key.
    pub fn delete_now(&self, id: &str) -> bool {
        self.writer().delete(id).is_some()
    }

    /// Adds or replaces an account. The new state applies to all its keys at once. The account stays when its
    /// last key is deleted.
    pub fn save_account_now(&self, account: Account) {
        self.writer().save_account(account);
    }

    /// Deletes an account and all its keys at once. Returns false if no account has this id.
    pub fn delete_account_now(&self, id: &str) -> bool {
        self.writer().delete_account(id)
    }

    /// Returns the state of an account, or `None` if no account has this id.
    pub fn find_account_now(&self, id: &str) -> Option<Arc<Account>> {
        let writer = self.writer();
        writer.index.accounts.get(id).map(|members| Arc::clone(&members.account))
    }

    /// Returns the records of an account's keys, in the order of their ids.
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

    /// Returns true if the store has no keys.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn writer(&self) -> Writer<'_> {
        // A panic comes from a caller's closure, which runs before the first write.
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
    fn a_store_counts_its_keys() {
        let store = MemoryStore::new();
        assert!(store.is_empty());
        assert_eq!(store.len(), 0);
        store.add_now(digest("a"), record("key", "acme"));
        assert!(!store.is_empty() && store.len() == 1);
        assert_eq!(format!("{store:?}"), "MemoryStore(1 keys)");
    }

    /// The slots of deleted keys are counted. Otherwise they would fill the table.
    #[test]
    fn deleted_keys_leave_room_for_others() {
        let store = MemoryStore::new();
        for number in 0..3_000 {
            let (secret, id) = (format!("secret {number}"), format!("key_{number}"));
            store.add_now(digest(&secret), record(&id, "acme"));
            assert!(found(&store, &secret).is_some(), "{number}");
            assert!(store.delete_now(&id) && found(&store, &secret).is_none(), "{number}");
        }
    }

    #[test]
    fn the_stored_state_of_an_account_applies() {
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
