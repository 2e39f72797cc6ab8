//! Changes through a replica: the store makes a change, and the replica applies it before the call returns.

use std::sync::Arc;

use tokio::time::timeout;

use super::super::feed::KeyFeed;
use super::super::manage::{
    Applied, Change, Command, CommandOptions, KeyEntry, KeyFilter, KeyManager, ManageError,
    ManageFuture, NewKey, Page, TrailFilter,
};
use super::progress::Wake;
use super::replicated::Replica;
use crate::clock::Timestamp;
use crate::key::{Account, KeyDigest, KeyId};
use crate::policy::{KeyPolicy, Policies};

/// Every change waits until this replica applies it, at most for the [timeout](super::ReplicaBuilder::timeout) of a
/// question. If the replica does not apply it in time, the call fails with
/// [`ManageError::NotYetApplied`], and the store has made the change. Other replicas apply it by their own polls.
impl<F: KeyManager + KeyFeed> KeyManager for Replica<F> {
    fn apply<'a>(
        &'a self,
        command: Command<'a>,
        options: CommandOptions<'a>,
    ) -> ManageFuture<'a, Applied> {
        self.change(self.store().apply(command, options))
    }

    fn import<'a>(&'a self, keys: Vec<NewKey>, by: &'a str) -> ManageFuture<'a, u64> {
        self.change(self.store().import(keys, by))
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
        KeyManager::changes(self.store(), sequence, limit)
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

impl<F: KeyManager + KeyFeed> Replica<F> {
    /// Makes a change, and waits until this replica applies it.
    pub(super) fn change<'a, T: Send + 'a>(
        &'a self,
        change: ManageFuture<'a, T>,
    ) -> ManageFuture<'a, T> {
        Box::pin(async move {
            // The store may also make a change that fails, or whose future is dropped.
            let hint = Hint(Some(&self.shared.wake));
            let made = change.await?;
            hint.cancel();
            let mut progress = self.shared.wake.progress.subscribe();
            let request = self.shared.wake.request(self.shared.freshness.ask());
            let longest = self.shared.settings.timeout;
            let applied = timeout(longest, progress.wait_for(|now| request.is_met(now))).await;
            match applied {
                Ok(_) => Ok(made),
                Err(_) => Err(ManageError::NotYetApplied(longest)),
            }
        })
    }
}

/// Makes the replica look soon, once it is dropped.
struct Hint<'a>(Option<&'a Wake>);

impl Hint<'_> {
    fn cancel(mut self) {
        self.0 = None;
    }
}

impl Drop for Hint<'_> {
    fn drop(&mut self) {
        if let Some(wake) = self.0 {
            wake.hint();
        }
    }
}
