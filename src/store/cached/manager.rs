//! Changes through the cache: the store makes a change, and the cache drops the affected records at once.

use std::sync::Arc;

use super::super::invalidation::Invalidation;
use super::super::manage::{
    Applied, Change, Command, CommandOptions, KeyEntry, KeyFilter, KeyManager, ManageError,
    ManageFuture, NewKey, Page, SecretEntry, TrailFilter,
};
use super::cache::Cached;
use crate::clock::Timestamp;
use crate::key::{Account, AccountId, KeyDigest, KeyId};
use crate::policy::{KeyPolicy, Policies};

impl<S: KeyManager> KeyManager for Cached<S> {
    fn apply<'a>(
        &'a self,
        command: Command<'a>,
        options: CommandOptions<'a>,
    ) -> ManageFuture<'a, Applied> {
        let affected = Affected::by(&command);
        let gets_secret = matches!(
            command,
            Command::Update { .. } | Command::Rotate { .. } | Command::EndEarlierSecrets { .. }
        );
        let may_be_replayed = options.idempotency_key().is_some();
        Box::pin(async move {
            let mut changed = match affected {
                Affected::Key(id) => match self.touches(id).await {
                    // The key may be gone because this deletion was made before, which the store knows.
                    Err(ManageError::NotFound) if may_be_replayed => Changed::new(self),
                    prepared => prepared?,
                },
                Affected::Named(notices) => Changed { cache: self, notices },
            };
            let applied = self.store().apply(command, options).await?;
            if let Some(entry) = applied.key.as_ref().filter(|_| gets_secret) {
                changed.is_made(entry);
            }
            Ok(applied)
        })
    }

    fn import<'a>(&'a self, keys: Vec<NewKey>, by: &'a str) -> ManageFuture<'a, u64> {
        Box::pin(async move {
            let mut changed = Changed::new(self);
            changed.notices.push(Invalidation::Added);
            self.store().import(keys, by).await
        })
    }

    fn get<'a>(&'a self, id: &'a str) -> ManageFuture<'a, Option<KeyEntry>> {
        self.store().get(id)
    }

    fn list<'a>(
        &'a self,
        filter: &'a KeyFilter,
        after: Option<&'a str>,
        limit: usize,
    ) -> ManageFuture<'a, Vec<KeyEntry>> {
        self.store().list(filter, after, limit)
    }

    fn page<'a>(
        &'a self,
        filter: &'a KeyFilter,
        after: Option<&'a str>,
        limit: usize,
    ) -> ManageFuture<'a, Page<KeyEntry>> {
        self.store().page(filter, after, limit)
    }

    fn find_account<'a>(&'a self, id: &'a str) -> ManageFuture<'a, Option<Arc<Account>>> {
        self.store().find_account(id)
    }

    fn list_accounts<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: usize,
    ) -> ManageFuture<'a, Vec<Arc<Account>>> {
        self.store().list_accounts(after, limit)
    }

    fn page_of_accounts<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: usize,
    ) -> ManageFuture<'a, Page<Arc<Account>>> {
        self.store().page_of_accounts(after, limit)
    }

    fn policies(&self) -> ManageFuture<'_, Policies> {
        self.store().policies()
    }

    fn page_of_policies(&self) -> ManageFuture<'_, Page<KeyPolicy>> {
        self.store().page_of_policies()
    }

    fn changes(&self, sequence: u64, limit: usize) -> ManageFuture<'_, Vec<Change>> {
        self.store().changes(sequence, limit)
    }

    fn trail<'a>(
        &'a self,
        filter: &'a TrailFilter,
        before: Option<u64>,
        limit: usize,
    ) -> ManageFuture<'a, Vec<Change>> {
        self.store().trail(filter, before, limit)
    }

    fn id_of<'a>(&'a self, digest: &'a KeyDigest) -> ManageFuture<'a, Option<KeyId>> {
        self.store().id_of(digest)
    }

    fn note_uses(&self, uses: Vec<(KeyDigest, Timestamp)>) -> ManageFuture<'_, ()> {
        self.store().note_uses(uses)
    }
}

impl<S: KeyManager> Cached<S> {
    /// Prepares for a change or the deletion of a key.
    ///
    /// A rotation at the same time may add secrets that are not known here. So the account is named, too, and
    /// all its keys are looked up again. A key that cannot be read can still be revoked or deleted.
    pub(super) async fn touches(&self, id: &str) -> Result<Changed<'_, S>, ManageError> {
        let mut changed = Changed::new(self);
        match self.store().get(id).await {
            Ok(Some(entry)) => {
                changed.secrets_of(&entry);
                let account = entry.record.account().id().clone();
                changed.notices.push(Invalidation::Account(account));
            }
            Ok(None) => return Err(ManageError::NotFound),
            Err(_) => changed.notices.push(Invalidation::Everything),
        }
        Ok(changed)
    }
}

/// What a change affects.
enum Affected<'a> {
    /// All secrets of a key.
    Key(&'a str),
    Named(Vec<Invalidation>),
}

impl<'a> Affected<'a> {
    fn by(command: &Command<'a>) -> Self {
        let account = |id: &AccountId| Invalidation::Account(id.clone());
        Self::Named(match command {
            Command::Add(key) => {
                let mut notices = vec![Invalidation::Secret(key.digest)];
                if key.revokes_others {
                    notices.push(account(key.record.account().id()));
                }
                notices
            }
            Command::Update { id, .. }
            | Command::Rotate { id, .. }
            | Command::EndEarlierSecrets { id }
            | Command::Revoke { id }
            | Command::Delete { id } => return Self::Key(id),
            Command::SaveAccount(saved) => vec![account(saved.id())],
            Command::DeleteAccount { id } => {
                let deleted = AccountId::new(*id).map(|id| account(&id));
                vec![deleted.unwrap_or(Invalidation::Everything)]
            }
            // Neither a policy nor the counter of a quota is in a record.
            Command::NoteRefund { .. } | Command::SavePolicy(_) | Command::DeletePolicy(_) => {
                Vec::new()
            }
        })
    }
}

/// The notices of a change, applied on drop. They are also applied if the change failed or its future was
/// dropped, because the store may have made the change.
pub(super) struct Changed<'a, S: KeyManager> {
    cache: &'a Cached<S>,
    pub(super) notices: Vec<Invalidation>,
}

impl<'a, S: KeyManager> Changed<'a, S> {
    pub(super) const fn new(cache: &'a Cached<S>) -> Self {
        Self { cache, notices: Vec::new() }
    }

    /// Names the secrets of a changed key in place of its account, because all valid secrets are known now.
    /// The earlier secrets stay named, because a store may leave out expired ones. A secret with a pepper may have had a
    /// former digest that is deleted, so the account stays named for it.
    pub(super) fn is_made(&mut self, entry: &KeyEntry) {
        if entry.secrets.iter().all(|secret| secret.pepper.is_none()) {
            self.notices.retain(|notice| !matches!(notice, Invalidation::Account(_)));
        }
        self.secrets_of(entry);
    }

    fn secrets_of(&mut self, entry: &KeyEntry) {
        let digests = entry.secrets.iter().flat_map(SecretEntry::digests);
        self.notices.extend(digests.map(Invalidation::Secret));
    }
}

impl<S: KeyManager> Drop for Changed<'_, S> {
    fn drop(&mut self) {
        for what in &self.notices {
            self.cache.invalidate(what);
        }
    }
}
