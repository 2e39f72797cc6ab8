//! What this node holds of all accounts, in a table of bounded size.

use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hashbrown::HashTable;
use tokio::sync::oneshot;

use super::super::limiter::{Applicable, Charge, Taking};
use super::super::standing::Verdict;
use super::failure::Failure;
use super::holding::Holding;
use super::lease::Lease;
use super::question::Counted;
use crate::clock::Timestamp;
use crate::key::{KeyRecord, Per};

/// Parts of the table that can be used at the same time.
const SHARDS: usize = 16;

/// A full shard is looked through for idle accounts this seldom, and in between takes in no others.
const SWEEP: Duration = Duration::from_millis(100);

/// What a request that waits is told.
pub(super) type Told = Result<Verdict, Failure>;

/// Holds tokens and refusals by account.
pub(super) struct Holdings {
    pub(super) lease: Lease,
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
}

#[derive(Default)]
pub(super) struct Shard {
    table: HashTable<Entry>,
    swept: Timestamp,
}

pub(super) struct Entry {
    hash: u64,
    counted: Arc<Counted>,
    pub(super) holding: Holding,
    /// Those that wait for the call that is under way; none if none is.
    pub(super) waiting: Option<Vec<Waiting>>,
}

/// A request that waits.
pub(super) struct Waiting {
    pub(super) cost: u32,
    pub(super) now: Timestamp,
    pub(super) reply: oneshot::Sender<Told>,
}

/// Where an entry is.
#[derive(Clone)]
pub(super) struct Slot {
    hash: u64,
    pub(super) counted: Arc<Counted>,
}

/// What becomes of a request.
pub(super) enum Course {
    /// It is answered.
    Answered(Verdict),
    /// It waits; for a call that is to be made now, if there is a slot.
    Waits(oneshot::Receiver<Told>, Option<Slot>),
    /// It is to be charged by itself.
    Alone,
}

impl Holdings {
    pub(super) fn new(lease: Lease) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { lease, shards, hasher: RandomState::new() }
    }

    /// Answers a request from what is held, or lets it wait.
    pub(super) fn course(&self, charge: &Charge<'_>) -> Course {
        let Charge { record, quotas, cost, taking, now } = *charge;
        let takes = taking == Taking::IfRoom && cost > 0;
        // What a quota in shadow would have refused is known one request at a time.
        if taking == Taking::Always || quotas.iter().any(|(quota, _)| quota.is_shadow()) {
            return Course::Alone;
        }
        let hash = self.hash(record, quotas);
        let mut shard = self.shard(hash);
        let found = |entry: &Entry| entry.hash == hash && entry.counted.is_of(record, quotas);
        let most = self.lease.accounts.div_ceil(SHARDS);
        if shard.table.find(hash, found).is_none() {
            if !takes || !shard.has_room(most, now) {
                return Course::Alone;
            }
            let counted = Arc::new(Counted::new(record, quotas));
            let entry = Entry { hash, counted, holding: Holding::default(), waiting: None };
            shard.table.insert_unique(hash, entry, |entry| entry.hash);
        }
        let Some(entry) = shard.table.find_mut(hash, found) else {
            return Course::Alone;
        };
        if let Some(verdict) = entry.holding.answer(now, cost, !takes) {
            return Course::Answered(verdict);
        }
        if !takes {
            return Course::Alone;
        }
        let (reply, told) = oneshot::channel();
        let waiting = Waiting { cost, now, reply };
        if let Some(others) = &mut entry.waiting {
            others.push(waiting);
            return Course::Waits(told, None);
        }
        entry.waiting = Some(vec![waiting]);
        Course::Waits(told, Some(Slot { hash, counted: Arc::clone(&entry.counted) }))
    }

    /// Works on an entry under its lock.
    pub(super) fn with<T>(&self, slot: &Slot, work: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        let mut shard = self.shard(slot.hash);
        let found = |entry: &Entry| Arc::ptr_eq(&entry.counted, &slot.counted);
        shard.table.find_mut(slot.hash, found).map(work)
    }

    fn hash(&self, record: &KeyRecord, quotas: Applicable<'_>) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        record.account_tag().hash(&mut hasher);
        if quotas.count_by(Per::Key) {
            record.id().hash(&mut hasher);
        }
        for (quota, of_route) in quotas.iter() {
            (quota.identity(), quota.limit(), of_route).hash(&mut hasher);
        }
        hasher.finish()
    }

    fn shard(&self, hash: u64) -> MutexGuard<'_, Shard> {
        // The table itself begins with the low bits, and tells entries apart by the highest.
        #[allow(clippy::cast_possible_truncation)] // Only some bits are used.
        let index = (hash >> 32) as usize % SHARDS;
        #[allow(clippy::indexing_slicing)] // There are so many.
        self.shards[index].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of accounts that are remembered.
    pub(super) fn len(&self) -> usize {
        let len =
            |shard: &Mutex<Shard>| shard.lock().unwrap_or_else(PoisonError::into_inner).table.len();
        self.shards.iter().map(len).sum()
    }
}

impl Shard {
    /// Makes room for one more account, if need be of those that are idle.
    fn has_room(&mut self, most: usize, now: Timestamp) -> bool {
        if self.table.len() >= most && (now < self.swept || now.since(self.swept) >= SWEEP) {
            self.swept = now;
            self.table.retain(|entry| entry.waiting.is_some() || !entry.holding.is_idle(now));
        }
        self.table.len() < most
    }
}

impl fmt::Debug for Holdings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Holdings").field("accounts", &self.len()).finish_non_exhaustive()
    }
}
