//! What can be done to keys and accounts.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::super::KeyStore;
use super::change::Change;
use super::entry::KeyEntry;
use super::error::ManageError;
use super::filter::KeyFilter;
use super::page::Page;
use crate::clock::Timestamp;
use crate::key::{Account, InvalidRecord, IssuedKey, KeyDigest, KeyRecord, KeyRecordBuilder};

/// Returns what a [`KeyManager`] was asked for. Boxed, so that a manager can be used through `dyn`.
pub type ManageFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, ManageError>> + Send + 'a>>;

/// Changes a record: the argument of [`KeyManager::update`].
pub type KeyUpdate = Box<dyn FnOnce(KeyRecordBuilder) -> KeyRecordBuilder + Send>;

/// Describes a key to be added: its record, and the digest of its secret.
///
/// ```
/// # use tower_api_key::key::{Account, KeyHasher, KeyRecord};
/// use tower_api_key::store::NewKey;
///
/// # let acme = Account::builder("acme").build()?;
/// let record = KeyRecord::builder("key_1", acme).owner("ada").build()?;
/// let digest = KeyHasher::sha256().digest(b"the key's text");
/// let key = NewKey::new(digest, record).revoking_others();
/// assert!(key.revokes_others);
/// # Ok::<(), tower_api_key::key::InvalidRecord>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct NewKey {
    /// The digest of the secret.
    pub digest: KeyDigest,
    /// The record. If the store knows its account already, the account's state there counts.
    pub record: KeyRecord,
    /// Whether all other keys of the same account, owner and audience are revoked in the same step.
    pub revokes_others: bool,
}

impl NewKey {
    /// Describes a key beside others.
    pub const fn new(digest: KeyDigest, record: KeyRecord) -> Self {
        Self { digest, record, revokes_others: false }
    }

    /// Describes a key that was just issued. Its record remembers the form of its text.
    ///
    /// # Errors
    ///
    /// [`InvalidRecord`] if the record is not valid, or names another environment than the key's text.
    ///
    /// ```
    /// # use tower_api_key::key::{Account, Issuer, KeyHasher, KeyRecord};
    /// # use tower_api_key::vendors::persona;
    /// use tower_api_key::store::NewKey;
    ///
    /// let issued = Issuer::new(persona::ISSUED, KeyHasher::sha256()).issue(Some("sandbox"))?;
    /// # let acme = Account::builder("acme").build()?;
    /// let key = |environment| {
    ///     let record = KeyRecord::builder("key_1", acme.clone()).environment(environment);
    ///     NewKey::issued(&issued, record)
    /// };
    /// assert_eq!(key("sandbox")?.record.form(), Some(issued.form()));
    /// assert!(key("production").is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn issued(issued: &IssuedKey, record: KeyRecordBuilder) -> Result<Self, InvalidRecord> {
        let record = record.form(issued.form().clone()).build()?;
        Ok(Self::new(*issued.digest(), record))
    }

    /// Revokes all other keys of the same account, owner and audience in the same step; a key without an
    /// owner revokes those without one. Keys of another audience serve at another gate, and serve on.
    pub fn revoking_others(self) -> Self {
        Self { revokes_others: true, ..self }
    }
}

/// Manages keys; implemented by every store that can write.
///
/// `by` says who makes a change, for the audit trail: a name, an address, a process. It is kept as it
/// is given, so it must be no secret; every change fails with [`ManageError::Invalid`] if
/// [`check_author`](super::check_author) does.
///
/// ```
/// # use tower_api_key::key::{Account, KeyHasher, KeyRecord};
/// use tower_api_key::store::{KeyManager, ManageError, MemoryStore, NewKey};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), ManageError> {
/// let store = MemoryStore::new();
/// let acme = Account::builder("acme").build()?;
/// let record = KeyRecord::builder("key_1", acme).name("backup job").build()?;
/// store.add(NewKey::new(KeyHasher::sha256().digest(b"the key's text"), record), "ada").await?;
///
/// store.revoke("key_1", "ada").await?;
/// let entry = store.get("key_1").await?.expect("revoked, not gone");
/// assert!(entry.record.is_revoked());
///
/// let trail = store.changes(0, 10).await?;
/// assert_eq!(trail.last().unwrap().action.name(), "key_revoked");
/// # Ok(())
/// # }
/// ```
pub trait KeyManager: KeyStore {
    /// Adds a key, and its account if the store does not know that yet; the account stays when its keys go.
    ///
    /// # Errors
    ///
    /// [`ManageError::Exists`] if there is one of this id, or with this secret.
    fn add<'a>(&'a self, key: NewKey, by: &'a str) -> ManageFuture<'a, ()>;

    /// Adds many keys, all or none; a key that exists already is left as it is, and not counted. It revokes
    /// none, whatever they say. Other changes wait until it is done: give it some ten thousand at a time.
    /// Returns how many were added.
    fn import<'a>(&'a self, keys: Vec<NewKey>, by: &'a str) -> ManageFuture<'a, u64>;

    /// Returns a key; `None` if there is none of this id.
    fn get<'a>(&'a self, id: &'a str) -> ManageFuture<'a, Option<KeyEntry>>;

    /// Lists keys in the order of their ids: at most `limit`, those after the id `after`. A list goes
    /// on with the last id of the one before, whatever was added or deleted meanwhile. A key whose row is
    /// broken is passed over; [`page`](Self::page) names it.
    fn list<'a>(
        &'a self,
        filter: &'a KeyFilter,
        after: Option<&'a str>,
        limit: usize,
    ) -> ManageFuture<'a, Vec<KeyEntry>>;

    /// Lists keys as [`list`](Self::list) does, and names those that are there and cannot be read. Unless a
    /// store says otherwise, there are none.
    fn page<'a>(
        &'a self,
        filter: &'a KeyFilter,
        after: Option<&'a str>,
        limit: usize,
    ) -> ManageFuture<'a, Page<KeyEntry>> {
        let found = self.list(filter, after, limit);
        Box::pin(async move { Ok(Page { found: found.await?, broken: Vec::new() }) })
    }

    /// Changes a key, and returns what became of it. Changes of one key come one after the other, so
    /// none is lost. One that was revoked stays so, whatever the change says.
    ///
    /// # Errors
    ///
    /// [`ManageError::NotFound`], also for a key that was deleted; [`ManageError::Invalid`] if the
    /// change makes no valid record, or one of another key or account.
    fn update<'a>(
        &'a self,
        id: &'a str,
        change: KeyUpdate,
        by: &'a str,
    ) -> ManageFuture<'a, KeyEntry>;

    /// Gives a key a new secret. Those it has serve until `until` at most, and no longer than they
    /// would have; an instant that has passed ends them now. One that has ended is found as expired for
    /// as long as the store keeps it, and then not at all: see [`KeyEntry`].
    ///
    /// # Errors
    ///
    /// [`ManageError::NotFound`]; [`ManageError::NotActive`] if the key is revoked, expired or switched off, by
    /// itself or with its account, for the new secret would not serve; [`ManageError::Exists`] if the secret is
    /// another key's, or was this one's.
    fn rotate<'a>(
        &'a self,
        id: &'a str,
        secret: KeyDigest,
        until: Timestamp,
        by: &'a str,
    ) -> ManageFuture<'a, KeyEntry>;

    /// Revokes a key for good, also one that cannot be read. One that is revoked already stays so.
    ///
    /// # Errors
    ///
    /// [`ManageError::NotFound`].
    fn revoke<'a>(&'a self, id: &'a str, by: &'a str) -> ManageFuture<'a, ()>;

    /// Deletes a key, also one that cannot be read; only the audit trail remembers it.
    ///
    /// # Errors
    ///
    /// [`ManageError::NotFound`].
    fn delete<'a>(&'a self, id: &'a str, by: &'a str) -> ManageFuture<'a, ()>;

    /// Adds or replaces an account; all its keys are under its new state at once.
    fn save_account<'a>(&'a self, account: Account, by: &'a str) -> ManageFuture<'a, ()>;

    /// Returns an account; `None` if there is none of this id.
    fn find_account<'a>(&'a self, id: &'a str) -> ManageFuture<'a, Option<Arc<Account>>>;

    /// Lists accounts in the order of their ids: at most `limit`, those after the id `after`.
    fn list_accounts<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: usize,
    ) -> ManageFuture<'a, Vec<Arc<Account>>>;

    /// Lists accounts as [`list_accounts`](Self::list_accounts) does, and names those that are there and
    /// cannot be read. Unless a store says otherwise, there are none.
    fn page_of_accounts<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: usize,
    ) -> ManageFuture<'a, Page<Arc<Account>>> {
        let found = self.list_accounts(after, limit);
        Box::pin(async move { Ok(Page { found: found.await?, broken: Vec::new() }) })
    }

    /// Deletes an account with all its keys.
    ///
    /// # Errors
    ///
    /// [`ManageError::NotFound`].
    fn delete_account<'a>(&'a self, id: &'a str, by: &'a str) -> ManageFuture<'a, ()>;

    /// Lists changes in the order in which they were made: at most `limit`, those after `sequence`.
    fn changes(&self, sequence: u64, limit: usize) -> ManageFuture<'_, Vec<Change>>;

    /// Notes when secrets were used; those that are gone by now are passed over. No change of a key,
    /// so it leaves no trail.
    fn note_uses(&self, uses: Vec<(KeyDigest, Timestamp)>) -> ManageFuture<'_, ()>;
}
