//! The contents of a replica, and how it answers lookups.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::watch;

use super::super::MemoryStore;
use super::freshness::{Freshness, Proof};
use super::progress::Wake;
use super::recent_uses::RecentUses;
use super::settings::FollowSettings;
use super::unproven::Unproven;
use crate::error::StoreError;
use crate::key::{KeyDigest, SharedRecord};
use crate::sync::{Mutex, Reply, lock};

/// What the clones of a replica share, except the feed.
pub(super) struct SharedReplica {
    pub(super) keys: MemoryStore,
    pub(super) freshness: Freshness,
    pub(super) settings: FollowSettings,
    pub(super) uses: RecentUses,
    pub(super) wake: Arc<Wake>,
    /// The last failure of the feed, until it answers again.
    failure: Mutex<Option<Arc<StoreError>>>,
    /// Dropped with the replica, which ends the task that follows the feed.
    pub(super) end: watch::Sender<()>,
}

impl SharedReplica {
    pub(super) fn new(settings: FollowSettings) -> Self {
        Self {
            keys: MemoryStore::new(),
            freshness: Freshness::new(&settings),
            uses: RecentUses::default(),
            wake: Arc::new(Wake::new()),
            failure: Mutex::default(),
            end: watch::Sender::new(()),
            settings,
        }
    }

    /// Answers a lookup from memory, if the records are young enough.
    pub(super) fn find(
        &self,
        digest: &KeyDigest,
        find: impl FnOnce(&MemoryStore) -> Option<SharedRecord>,
    ) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        // In this order: the records are then at least as new as the proof, and the proof is judged last. So a process
        // that is stopped at any step, and woken much later, refuses.
        let proof = self.freshness.last();
        let found = find(&self.keys);
        if !self.freshness.holds(proof) {
            return Reply::now(Err(self.refusal()));
        }
        match found {
            Some(record) if record.is_unreadable() => {
                let why = Unproven::Unreadable(record.id().clone());
                Reply::now(Err(StoreError::new(why)))
            }
            Some(record) => {
                self.uses.note(digest, &record, &*self.settings.clock);
                Reply::now(Ok(Some(record)))
            }
            None => Reply::now(Ok(None)),
        }
    }

    /// Publishes a whole copy of the store in place of the records. Returns the replaced ones.
    #[must_use = "dropping many records takes long"]
    pub(super) fn adopt(&self, copy: MemoryStore, proof: Option<Proof>) -> MemoryStore {
        self.freshness.replace(proof, || self.keys.exchange(&copy));
        copy
    }

    /// Records whether the feed answered.
    pub(super) fn note(&self, failure: Option<Arc<StoreError>>) {
        *lock(&self.failure) = failure;
    }

    /// Returns the last failure of the feed, until it answers again.
    pub(super) fn failure(&self) -> Option<Arc<StoreError>> {
        lock(&self.failure).clone()
    }

    /// Returns why no lookup is answered.
    fn refusal(&self) -> StoreError {
        let why = self.failure();
        let longest = self.settings.longest();
        StoreError::new(match self.freshness.age() {
            Some(age) => Unproven::Stale { age, longest, why },
            None if !self.wake.is_followed.load(Ordering::Relaxed) => Unproven::NotFollowed,
            None => Unproven::NotCopied(why),
        })
    }
}
