//! A store whose failures are reported.

use std::sync::Arc;

use tower_api_key::Reply;
use tower_api_key::clock::Timestamp;
use tower_api_key::key::{Account, CounterPlace, KeyDigest, KeyId, SharedRecord};
use tower_api_key::policy::{KeyPolicy, Policies};
use tower_api_key::store::{
    Applied, Change, Command, CommandOptions, KeyEntry, KeyFilter, KeyManager, KeyStore,
    ManageFuture, NewKey, Page, StoreError, TrailFilter,
};

use crate::failure_observers::FailureObservers;

/// Passes everything on to another store, and reports each failure. So no operation can answer 503 without a report,
/// whatever it makes of the error.
pub(super) struct ObservedManager {
    pub(super) manager: Arc<dyn KeyManager>,
    pub(super) observers: FailureObservers,
}

impl ObservedManager {
    /// Reports the failure of an answer.
    fn noted<'a, T: Send + 'a>(&'a self, answer: ManageFuture<'a, T>) -> ManageFuture<'a, T> {
        Box::pin(async move {
            let answer = answer.await;
            self.observers.note(&answer);
            answer
        })
    }
}

impl KeyStore for ObservedManager {
    /// Reports nothing: a gate reports the failures of its look-ups to its own observers.
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        self.manager.find(digest)
    }

    fn find_and_preload(
        &self,
        digest: &KeyDigest,
        preload: &dyn Fn(CounterPlace),
    ) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        self.manager.find_and_preload(digest, preload)
    }
}

impl KeyManager for ObservedManager {
    fn apply<'a>(
        &'a self,
        command: Command<'a>,
        options: CommandOptions<'a>,
    ) -> ManageFuture<'a, Applied> {
        self.noted(self.manager.apply(command, options))
    }

    fn import<'a>(&'a self, keys: Vec<NewKey>, by: &'a str) -> ManageFuture<'a, u64> {
        self.noted(self.manager.import(keys, by))
    }

    fn get<'a>(&'a self, id: &'a str) -> ManageFuture<'a, Option<KeyEntry>> {
        self.noted(self.manager.get(id))
    }

    fn list<'a>(
        &'a self,
        filter: &'a KeyFilter,
        after: Option<&'a str>,
        limit: usize,
    ) -> ManageFuture<'a, Vec<KeyEntry>> {
        self.noted(self.manager.list(filter, after, limit))
    }

    fn page<'a>(
        &'a self,
        filter: &'a KeyFilter,
        after: Option<&'a str>,
        limit: usize,
    ) -> ManageFuture<'a, Page<KeyEntry>> {
        self.noted(self.manager.page(filter, after, limit))
    }

    fn find_account<'a>(&'a self, id: &'a str) -> ManageFuture<'a, Option<Arc<Account>>> {
        self.noted(self.manager.find_account(id))
    }

    fn list_accounts<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: usize,
    ) -> ManageFuture<'a, Vec<Arc<Account>>> {
        self.noted(self.manager.list_accounts(after, limit))
    }

    fn page_of_accounts<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: usize,
    ) -> ManageFuture<'a, Page<Arc<Account>>> {
        self.noted(self.manager.page_of_accounts(after, limit))
    }

    fn policies(&self) -> ManageFuture<'_, Policies> {
        self.noted(self.manager.policies())
    }

    fn page_of_policies(&self) -> ManageFuture<'_, Page<KeyPolicy>> {
        self.noted(self.manager.page_of_policies())
    }

    fn changes(&self, sequence: u64, limit: usize) -> ManageFuture<'_, Vec<Change>> {
        self.noted(self.manager.changes(sequence, limit))
    }

    fn trail<'a>(
        &'a self,
        filter: &'a TrailFilter,
        before: Option<u64>,
        limit: usize,
    ) -> ManageFuture<'a, Vec<Change>> {
        self.noted(self.manager.trail(filter, before, limit))
    }

    fn id_of<'a>(&'a self, digest: &'a KeyDigest) -> ManageFuture<'a, Option<KeyId>> {
        self.noted(self.manager.id_of(digest))
    }

    fn note_uses(&self, uses: Vec<(KeyDigest, Timestamp)>) -> ManageFuture<'_, ()> {
        self.noted(self.manager.note_uses(uses))
    }
}
