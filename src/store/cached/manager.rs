//! Changes made through the cache: made in the store, and forgotten here at once.

use std::sync::Arc;

use super::super::invalidation::Invalidation;
use super::super::manage::{
    Change, Edit, KeyEntry, KeyFilter, KeyManager, ManageError, Managed, NewKey, Page,
};
use super::cache::Cached;
use crate::clock::Timestamp;
use crate::key::{Account, AccountId, KeyDigest};

impl<S: KeyManager> KeyManager for Cached<S> {
    fn add<'a>(&'a self, key: NewKey, by: &'a str) -> Managed<'a, ()> {
        Box::pin(async move {
            let account = key.record.account().id().clone();
            let revokes = key.revokes_others;
            self.store().add(key, by).await?;
            self.invalidate(&Invalidation::Added);
            if revokes {
                self.invalidate(&Invalidation::Account(account));
            }
            Ok(())
        })
    }

    fn import<'a>(&'a self, keys: Vec<NewKey>, by: &'a str) -> Managed<'a, u64> {
        Box::pin(async move {
            let added = self.store().import(keys, by).await?;
            self.invalidate(&Invalidation::Added);
            Ok(added)
        })
    }

    fn get<'a>(&'a self, id: &'a str) -> Managed<'a, Option<KeyEntry>> {
        self.store().get(id)
    }

    fn list<'a>(
        &'a self,
        filter: &'a KeyFilter,
        after: Option<&'a str>,
        limit: usize,
    ) -> Managed<'a, Vec<KeyEntry>> {
        self.store().list(filter, after, limit)
    }

    fn page<'a>(
        &'a self,
        filter: &'a KeyFilter,
        after: Option<&'a str>,
        limit: usize,
    ) -> Managed<'a, Page<KeyEntry>> {
        self.store().page(filter, after, limit)
    }

    fn update<'a>(&'a self, id: &'a str, change: Edit, by: &'a str) -> Managed<'a, KeyEntry> {
        Box::pin(async move {
            let entry = self.store().update(id, change, by).await?;
            self.forget(&entry);
            Ok(entry)
        })
    }

    fn rotate<'a>(
        &'a self,
        id: &'a str,
        secret: KeyDigest,
        until: Timestamp,
        by: &'a str,
    ) -> Managed<'a, KeyEntry> {
        Box::pin(async move {
            let entry = self.store().rotate(id, secret, until, by).await?;
            self.forget(&entry);
            Ok(entry)
        })
    }

    fn revoke<'a>(&'a self, id: &'a str, by: &'a str) -> Managed<'a, ()> {
        Box::pin(async move {
            // Which secrets it has is asked first: what is not known then is not known here, either.
            let entry = self.entry(id).await?;
            self.store().revoke(id, by).await?;
            self.forget(&entry);
            Ok(())
        })
    }

    fn delete<'a>(&'a self, id: &'a str, by: &'a str) -> Managed<'a, ()> {
        Box::pin(async move {
            let entry = self.entry(id).await?;
            self.store().delete(id, by).await?;
            self.forget(&entry);
            Ok(())
        })
    }

    fn save_account<'a>(&'a self, account: Account, by: &'a str) -> Managed<'a, ()> {
        Box::pin(async move {
            let id = account.id().clone();
            self.store().save_account(account, by).await?;
            self.invalidate(&Invalidation::Account(id));
            Ok(())
        })
    }

    fn find_account<'a>(&'a self, id: &'a str) -> Managed<'a, Option<Arc<Account>>> {
        self.store().find_account(id)
    }

    fn list_accounts<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: usize,
    ) -> Managed<'a, Vec<Arc<Account>>> {
        self.store().list_accounts(after, limit)
    }

    fn page_of_accounts<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: usize,
    ) -> Managed<'a, Page<Arc<Account>>> {
        self.store().page_of_accounts(after, limit)
    }

    fn delete_account<'a>(&'a self, id: &'a str, by: &'a str) -> Managed<'a, ()> {
        Box::pin(async move {
            self.store().delete_account(id, by).await?;
            match AccountId::new(id) {
                Ok(id) => self.invalidate(&Invalidation::Account(id)),
                Err(_) => self.invalidate(&Invalidation::Everything),
            }
            Ok(())
        })
    }

    fn changes(&self, sequence: u64, limit: usize) -> Managed<'_, Vec<Change>> {
        self.store().changes(sequence, limit)
    }

    fn note_uses(&self, uses: Vec<(KeyDigest, Timestamp)>) -> Managed<'_, ()> {
        self.store().note_uses(uses)
    }
}

impl<S: KeyManager> Cached<S> {
    async fn entry(&self, id: &str) -> Result<KeyEntry, ManageError> {
        self.store().get(id).await?.ok_or(ManageError::NotFound)
    }

    fn forget(&self, entry: &KeyEntry) {
        for secret in &entry.secrets {
            self.invalidate(&Invalidation::Secret(secret.digest));
        }
    }
}
