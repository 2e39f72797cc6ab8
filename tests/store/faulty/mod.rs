//! A store with one planted fault.

mod commands;
mod manager;
mod policies;
mod rotation;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tower_api_key::Reply;
use tower_api_key::clock::Timestamp;
use tower_api_key::key::{Account, KeyDigest, KeyRecord, SharedRecord};
use tower_api_key::store::{
    Action, KeyEntry, KeyFilter, KeyManager, KeyOrder, KeyStore, ManageError, NewKey, StoreError,
    check_author,
};

use crate::faults::Fault;

/// Passes everything on to a sound store, but for one fault.
pub(crate) struct Faulty<S> {
    inner: Arc<S>,
    fault: Fault,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    known: Vec<KeyDigest>,
    /// What is found in place of what the sound store has.
    ghosts: HashMap<KeyDigest, SharedRecord>,
    deleted: HashMap<String, KeyEntry>,
    deleted_accounts: HashMap<String, Account>,
    uses: HashMap<KeyDigest, Timestamp>,
    updated: HashMap<String, Timestamp>,
    /// The number of lines before each change that failed.
    failures: Vec<usize>,
}

impl<S: KeyManager> Faulty<S> {
    pub(crate) fn new(inner: S, fault: Fault) -> Self {
        Self { inner: Arc::new(inner), fault, memory: Mutex::default() }
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory.lock().unwrap()
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    /// Returns who makes a change, as far as the store looks.
    fn author<'a>(&self, action: Action, by: &'a str) -> &'a str {
        let forges = check_author(by).is_err();
        if forges && self.has(Fault::TakesAnyAuthor(action)) { "anybody" } else { by }
    }

    /// Lets secrets be found as they are found now, whatever becomes of them.
    async fn haunt(&self, secrets: Vec<KeyDigest>) {
        for secret in secrets {
            if let Ok(Some(record)) = self.inner.find(&secret).await {
                self.memory().ghosts.insert(secret, record);
            }
        }
    }

    async fn page(
        &self,
        mut filter: KeyFilter,
        after: Option<&str>,
        mut limit: usize,
    ) -> Result<Vec<KeyEntry>, ManageError> {
        match self.fault {
            Fault::IgnoresTheAccount => filter.account = None,
            Fault::IgnoresTheOwner => filter.owner = None,
            Fault::IgnoresTheKind => filter.kind = None,
            Fault::IgnoresTheEnvironment => filter.environment = None,
            Fault::IgnoresTheState => filter.state = None,
            Fault::IgnoresTheTag => filter.tag = None,
            Fault::IgnoresTheTail => filter.tail = None,
            Fault::IgnoresThePrefix => filter.name_prefix = None,
            Fault::IgnoresTheExpiry => filter.expires_before = None,
            Fault::IgnoresTheOrder => filter.order = KeyOrder::Id,
            Fault::TakesAnEmptyChoiceForNone => {
                filter.owner = filter.owner.filter(|owner| !owner.is_empty());
            }
            Fault::PagesHaveNoEnd => limit = usize::MAX,
            _ => {}
        }
        if filter.order != KeyOrder::Id {
            return self.inner.list(&filter, after, limit).await;
        }
        let mut all = self.entries(filter).await;
        let place = |entry: &KeyEntry| match self.fault {
            Fault::SortsWithoutCase => entry.record.id().as_str().to_lowercase(),
            _ => entry.record.id().to_string(),
        };
        all.sort_by_key(place);
        let last = after.and_then(|id| all.iter().position(|entry| *entry.record.id() == *id));
        let later = |entry: &&KeyEntry| after.is_none_or(|id| entry.record.id().as_str() > id);
        let page: Vec<KeyEntry> = match (self.fault, last) {
            (Fault::PagesRepeatAKey, Some(at)) => all[at..].to_vec(),
            (Fault::PagesSkipAKey, _) if after.is_some() => {
                all.iter().filter(later).skip(1).cloned().collect()
            }
            (Fault::SortsWithoutCase, Some(at)) => all[at + 1..].to_vec(),
            _ => all.iter().filter(later).cloned().collect(),
        };
        Ok(page.into_iter().take(limit).collect())
    }

    async fn entries(&self, filter: KeyFilter) -> Vec<KeyEntry> {
        self.inner.list(&filter, None, usize::MAX).await.unwrap()
    }

    /// Puts a key in the place of another of the same id.
    async fn replace(&self, digest: KeyDigest, record: KeyRecord) {
        let _ = self.inner.delete(record.id().as_str(), "fault").await;
        self.inner.add(NewKey::new(digest, record), "fault").await.unwrap();
    }

    async fn revoke_all(&self, filter: KeyFilter, but: &str) {
        for entry in self.entries(filter).await {
            if *entry.record.id() != *but {
                self.inner.revoke(entry.record.id().as_str(), "fault").await.unwrap();
            }
        }
    }
}

impl<S: KeyManager> KeyStore for Faulty<S> {
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        let memory = self.memory();
        let half = |other: &&KeyDigest| other.as_bytes()[..16] == digest.as_bytes()[..16];
        let known = memory.known.iter().find(half).filter(|_| self.has(Fault::FindsByHalfADigest));
        let digest = known.unwrap_or(digest);
        if let Some(ghost) = memory.ghosts.get(digest) {
            return Reply::now(Ok(Some(ghost.clone())));
        }
        let (lookup, risen) = (self.inner.find(digest), self.has(Fault::ServesRevokedKeys));
        Reply::later(async move {
            let found = lookup.await?;
            Ok(found.map(|record| {
                if risen { record.edit().revoked(false).build().unwrap().into() } else { record }
            }))
        })
    }
}

fn secrets(entries: &[KeyEntry]) -> Vec<KeyDigest> {
    entries.iter().flat_map(|entry| &entry.secrets).map(|secret| secret.digest).collect()
}

fn to_the_microsecond(at: Timestamp) -> Timestamp {
    Timestamp::from_unix_nanoseconds(at.unix_nanoseconds() / 1_000 * 1_000)
}
