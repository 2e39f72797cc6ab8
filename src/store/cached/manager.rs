//! Changes through the cache: the store makes a change, and the cache drops the affected records at once.

use std::sync::Arc;

use super::super::invalidation::Invalidation;
use super::super::manage::{
    Change, KeyEntry, KeyFilter, KeyManager, KeyUpdate, ManageError, ManageFuture, NewKey, Page,
    SecretEntry,
};
use super::cache::Cached;
use crate::clock::Timestamp;
use crate::key::{Account, AccountId, KeyDigest};

impl<S: KeyManager> KeyManager for Cached<S> {
    fn add<'a>(&'a self, key: NewKey, by: &'a str) -> ManageFuture<'a, ()> {
        Box::pin(async move {
            let mut changed = Changed::new(self);
            changed.notices.push(Invalidation::Secret(key.digest));
            if key.revokes_others {
                changed.notices.push(Invalidation::Account(key.record.account().id().clone()));
            }
            self.store().add(key, by).await
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

    fn update<'a>(
        &'a self,
        id: &'a str,
        change: KeyUpdate,
        by: &'a str,
    ) -> ManageFuture<'a, KeyEntry> {
        Box::pin(async move {
            let mut changed = self.touches(id).await?;
            let entry = self.store().update(id, change, by).await?;
            changed.is_made(&entry);
            Ok(entry)
        })
    }

    fn rotate<'a>(
        &'a self,
        id: &'a str,
        secret: KeyDigest,
        until: Timestamp,
        by: &'a str,
    ) -> ManageFuture<'a, KeyEntry> {
        Box::pin(async move {
            let mut changed = self.touches(id).await?;
            let entry = self.store().rotate(id, secret, until, by).await?;
            changed.is_made(&entry);
            Ok(entry)
        })
    }

    fn revoke<'a>(&'a self, id: &'a str, by: &'a str) -> ManageFuture<'a, ()> {
        Box::pin(async move {
            let _changed = self.touches(id).await?;
            self.store().revoke(id, by).await
        })
    }

    fn delete<'a>(&'a self, id: &'a str, by: &'a str) -> ManageFuture<'a, ()> {
        Box::pin(async move {
            let _changed = self.touches(id).await?;
            self.store().delete(id, by).await
        })
    }

    fn save_account<'a>(&'a self, account: Account, by: &'a str) -> ManageFuture<'a, ()> {
        Box::pin(async move {
            let mut changed = Changed::new(self);
            changed.notices.push(Invalidation::Account(account.id().clone()));
            self.store().save_account(account, by).await
        })
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

    fn delete_account<'a>(&'a self, id: &'a str, by: &'a str) -> ManageFuture<'a, ()> {
        Box::pin(async move {
            let mut changed = Changed::new(self);
            let account = AccountId::new(id).map(Invalidation::Account);
            changed.notices.push(account.unwrap_or(Invalidation::Everything));
            self.store().delete_account(id, by).await
        })
    }

    fn changes(&self, sequence: u64, limit: usize) -> ManageFuture<'_, Vec<Change>> {
        self.store().changes(sequence, limit)
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
    /// The earlier secrets stay named, because a store may leave out expired ones.
    pub(super) fn is_made(&mut self, entry: &KeyEntry) {
        self.notices.retain(|notice| !matches!(notice, Invalidation::Account(_)));
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
