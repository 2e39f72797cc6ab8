//! The trait with which keys and accounts are managed.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::super::KeyStore;
use super::applied::Applied;
use super::change::Change;
use super::command::{Command, CommandOptions};
use super::entry::KeyEntry;
use super::error::ManageError;
use super::filter::KeyFilter;
use super::new_key::NewKey;
use super::page::Page;
use super::trail_filter::TrailFilter;
use super::update::KeyUpdate;
use crate::clock::Timestamp;
use crate::key::{Account, KeyDigest, KeyId};
use crate::policy::{KeyPolicy, Policies};

/// The future that a [`KeyManager`] returns. It is boxed, so that a manager can be used through `dyn`.
pub type ManageFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, ManageError>> + Send + 'a>>;

/// Manages keys and accounts. Every store that can write implements this trait.
///
/// A change
///
/// 1. is made completely or not at all, together with its line in the audit trail;
/// 2. applies to every lookup in the store itself that begins after the change;
/// 3. never restores a deleted key.
///
/// A cache in front of the store applies a change later, within the time that the cache documents.
///
/// No secret passes through this trait. An [`Issuer`](crate::key::Issuer) issues a key, the caller shows its
/// text once, and a store receives only its digest.
///
/// `by` is the author of a change, for the audit trail: a name, an address or a process. The trail keeps the
/// text unchanged, so it must not be a secret. Every change fails with [`ManageError::Invalid`] if
/// [`check_author`](super::check_author) refuses the text. [`apply`](KeyManager::apply) also takes the reason of a change,
/// a precondition, and an idempotency key.
///
/// Every method fails with [`ManageError::Store`] if the store cannot answer.
///
/// ```
/// use tower_api_key::key::{Account, KeyHasher, KeyRecord};
/// use tower_api_key::store::{KeyManager, ManageError, MemoryStore, NewKey};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), ManageError> {
/// let store = MemoryStore::new();
/// let acme = Account::builder("acme").build()?;
/// let record = KeyRecord::builder("key_1", acme).name("backup job").build()?;
/// store.add(NewKey::new(KeyHasher::sha256().digest(b"the key's text"), record), "ada").await?;
///
/// store.revoke("key_1", "ada").await?;
/// let entry = store.get("key_1").await?.expect("a revoked key is kept");
/// assert!(entry.record.is_revoked());
///
/// let trail = store.changes(0, 10).await?;
/// assert_eq!(trail.last().unwrap().action.name(), "key_revoked");
/// # Ok(())
/// # }
/// ```
pub trait KeyManager: KeyStore {
    /// Makes one change of a key or an account, in one transaction with its line of the trail. Every other method that
    /// makes one change calls this one.
    ///
    /// The store checks [`CommandOptions::check`] first, then the idempotency key, then the precondition, then
    /// [the bound on keys](CommandOptions::at_most_keys), and then the [policies](crate::policy).
    ///
    /// # Errors
    ///
    /// - [`ManageError::IdempotencyKeyReused`] if another change was made with the same idempotency key;
    /// - [`ManageError::PreconditionFailed`] if the precondition does not hold;
    /// - [`ManageError::PolicyViolated`] if the key would break a rule of a policy;
    /// - [`ManageError::TooManyKeys`] if the owner of the key has as many keys as the command allows;
    /// - the errors of the method that makes the same change.
    fn apply<'a>(
        &'a self,
        command: Command<'a>,
        options: CommandOptions<'a>,
    ) -> ManageFuture<'a, Applied>;

    /// Adds a key, and its account if the store does not have the account yet. The account stays when its
    /// keys are deleted.
    ///
    /// # Errors
    ///
    /// [`ManageError::Exists`] if a key with this id or with this secret exists.
    fn add<'a>(&'a self, key: NewKey, by: &'a str) -> ManageFuture<'a, ()> {
        done(self.apply(Command::Add(key), CommandOptions::by(by)))
    }

    /// Adds many keys, all or none. Returns how many were added.
    ///
    /// A key that exists already stays unchanged and is not counted. An import revokes no keys, even if a key
    /// has [`revokes_others`](NewKey::revokes_others) set. Other changes wait until the import is done, so
    /// import about ten thousand keys at a time.
    ///
    /// # Errors
    ///
    /// [`ManageError::PolicyViolated`] if an added key breaks a rule of a policy.
    fn import<'a>(&'a self, keys: Vec<NewKey>, by: &'a str) -> ManageFuture<'a, u64>;

    /// Returns a key, or `None` if no key has this id.
    fn get<'a>(&'a self, id: &'a str) -> ManageFuture<'a, Option<KeyEntry>>;

    /// Lists at most `limit` keys after the place `after`, in the order of the filter.
    ///
    /// For the next page, pass [`KeyOrder::after`](super::KeyOrder::after) of the last key of this page. In the order of
    /// ids that is its id. That works even if keys are added or deleted in between. The list skips a key whose row cannot be read. [`page`](Self::page) returns the ids of such
    /// keys.
    ///
    /// # Errors
    ///
    /// [`ManageError::WrongPosition`] if `after` is a place in a list of another order.
    fn list<'a>(
        &'a self,
        filter: &'a KeyFilter,
        after: Option<&'a str>,
        limit: usize,
    ) -> ManageFuture<'a, Vec<KeyEntry>>;

    /// Lists keys as [`list`](Self::list) does, and also returns the rows that cannot be read. The default
    /// implementation returns no such rows.
    fn page<'a>(
        &'a self,
        filter: &'a KeyFilter,
        after: Option<&'a str>,
        limit: usize,
    ) -> ManageFuture<'a, Page<KeyEntry>> {
        let found = self.list(filter, after, limit);
        Box::pin(async move { Ok(Page { found: found.await?, broken: Vec::new() }) })
    }

    /// Changes a key, and returns the changed key.
    ///
    /// Changes of one key are made one after another, so none is lost. A revoked key stays revoked, even if
    /// the change says otherwise.
    ///
    /// # Errors
    ///
    /// - [`ManageError::NotFound`] if no key has this id, or the key was deleted;
    /// - [`ManageError::Invalid`] if the changed record is not valid, or has another id or account.
    fn update<'a>(
        &'a self,
        id: &'a str,
        change: KeyUpdate,
        by: &'a str,
    ) -> ManageFuture<'a, KeyEntry> {
        entry(self.apply(Command::Update { id, change }, CommandOptions::by(by)))
    }

    /// Gives a key a new secret. The earlier secrets expire at `until`, unless they expire before. If a policy sets a
    /// longest life, they expire [no later than it allows](crate::policy::Policies::end_of_earlier).
    ///
    /// If `until` has passed, the earlier secrets expire now. A lookup finds an expired secret as expired
    /// while the store keeps it, and afterwards as unknown: see [`KeyEntry`].
    ///
    /// # Errors
    ///
    /// - [`ManageError::NotFound`] if no key has this id;
    /// - [`ManageError::NotActive`] if the key is revoked, expired or disabled, or its account is disabled. The
    ///   new secret would not be valid;
    /// - [`ManageError::TooManySecrets`] if as many earlier secrets as are allowed would stay valid: see
    ///   [`MOST_VALID_SECRETS`](super::MOST_VALID_SECRETS);
    /// - [`ManageError::Exists`] if the secret belongs to another key, or is already one of this key's.
    fn rotate<'a>(
        &'a self,
        id: &'a str,
        secret: KeyDigest,
        until: Timestamp,
        by: &'a str,
    ) -> ManageFuture<'a, KeyEntry> {
        entry(
            self.apply(
                Command::Rotate { id, secret: secret.into(), until },
                CommandOptions::by(by),
            ),
        )
    }

    /// Ends all secrets of a key at once, except the newest: a rotation had let them work for a while. Returns the key.
    /// Secrets that have ended stay as they are. The newest one works on, so the key's clients need no other secret.
    ///
    /// # Errors
    ///
    /// [`ManageError::NotFound`] if no key has this id.
    fn end_earlier_secrets<'a>(&'a self, id: &'a str, by: &'a str) -> ManageFuture<'a, KeyEntry> {
        entry(self.apply(Command::EndEarlierSecrets { id }, CommandOptions::by(by)))
    }

    /// Revokes a key. A revocation is final, and revoking a revoked key succeeds. A key whose row cannot be
    /// read can be revoked, too.
    ///
    /// # Errors
    ///
    /// [`ManageError::NotFound`] if no key has this id.
    fn revoke<'a>(&'a self, id: &'a str, by: &'a str) -> ManageFuture<'a, ()> {
        done(self.apply(Command::Revoke { id }, CommandOptions::by(by)))
    }

    /// Deletes a key, even if its row cannot be read. Only the audit trail keeps its id.
    ///
    /// # Errors
    ///
    /// [`ManageError::NotFound`] if no key has this id.
    fn delete<'a>(&'a self, id: &'a str, by: &'a str) -> ManageFuture<'a, ()> {
        done(self.apply(Command::Delete { id }, CommandOptions::by(by)))
    }

    /// Adds or replaces an account. The new state applies to all its keys at once.
    fn save_account<'a>(&'a self, account: Account, by: &'a str) -> ManageFuture<'a, ()> {
        done(self.apply(Command::SaveAccount(account), CommandOptions::by(by)))
    }

    /// Returns an account, or `None` if no account has this id.
    fn find_account<'a>(&'a self, id: &'a str) -> ManageFuture<'a, Option<Arc<Account>>>;

    /// Lists at most `limit` accounts after the id `after`, in the order of their ids.
    fn list_accounts<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: usize,
    ) -> ManageFuture<'a, Vec<Arc<Account>>>;

    /// Lists accounts as [`list_accounts`](Self::list_accounts) does, and also returns the rows that cannot
    /// be read. The default implementation returns no such rows.
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
    /// [`ManageError::NotFound`] if no account has this id.
    fn delete_account<'a>(&'a self, id: &'a str, by: &'a str) -> ManageFuture<'a, ()> {
        done(self.apply(Command::DeleteAccount { id }, CommandOptions::by(by)))
    }

    /// Lists all policies. [`Command::SavePolicy`] and [`Command::DeletePolicy`] change them.
    ///
    /// # Errors
    ///
    /// [`ManageError::PolicyUnreadable`] if this version cannot read one of them.
    /// [`page_of_policies`](Self::page_of_policies) returns the others.
    fn policies(&self) -> ManageFuture<'_, Policies>;

    /// Lists all policies on one page, and also returns the rows that this version cannot read. The id of such a row is the
    /// subject of its policy: [`PolicySubject::stored`](crate::policy::PolicySubject::stored) reads it. The default
    /// implementation returns no such rows.
    fn page_of_policies(&self) -> ManageFuture<'_, Page<KeyPolicy>> {
        let found = self.policies();
        Box::pin(async move {
            Ok(Page { found: found.await?.iter().cloned().collect(), broken: Vec::new() })
        })
    }

    /// Lists at most `limit` changes after `sequence`, in the order in which they were made.
    fn changes(&self, sequence: u64, limit: usize) -> ManageFuture<'_, Vec<Change>>;

    /// Lists at most `limit` changes before the line `before`, the newest first. Without `before`, it begins with the
    /// newest line.
    fn trail<'a>(
        &'a self,
        filter: &'a TrailFilter,
        before: Option<u64>,
        limit: usize,
    ) -> ManageFuture<'a, Vec<Change>>;

    /// Returns the id of the key that has this secret, in whatever state the key is; `None` if no key has it.
    ///
    /// A manager asks this, and no request: the question is no use of the key. The default implementation calls
    /// [`find`](KeyStore::find). A store that records uses where it finds keys must write this method.
    fn id_of<'a>(&'a self, digest: &'a KeyDigest) -> ManageFuture<'a, Option<KeyId>> {
        let found = self.find(digest);
        Box::pin(async move { Ok(found.await?.map(|record| record.id().clone())) })
    }

    /// Records when secrets were last used. Unknown secrets are skipped. The audit trail gets no line,
    /// because a use changes no key.
    fn note_uses(&self, uses: Vec<(KeyDigest, Timestamp)>) -> ManageFuture<'_, ()>;
}

fn done(applied: ManageFuture<'_, Applied>) -> ManageFuture<'_, ()> {
    Box::pin(async move { applied.await.map(|_| ()) })
}

fn entry(applied: ManageFuture<'_, Applied>) -> ManageFuture<'_, KeyEntry> {
    Box::pin(async move { applied.await?.key.ok_or(ManageError::NotFound) })
}
