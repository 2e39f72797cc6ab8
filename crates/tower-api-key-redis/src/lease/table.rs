//! What this node holds of all accounts, in a table of bounded size.

use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use hashbrown::HashTable;
use tokio::sync::oneshot;

use super::account::AccountLease;
use super::rule::Lease;
use crate::failure::Failure;
use crate::lock::lock;
use crate::question::Counted;
use tower_api_key::clock::Timestamp;
use tower_api_key::key::KeyRecord;
use tower_api_key::limits::{Charge, ChargeMode};
use tower_api_key::quota::{AppliedQuotas, Per, Verdict};

/// Parts of the table that can be used at the same time.
const SHARDS: usize = 16;

/// A full shard is looked through for idle accounts this seldom, and in between takes in no others.
const SWEEP: Duration = Duration::from_millis(100);

/// What a request that waits is told.
pub(crate) type LeaseReply = Result<Verdict, Failure>;

/// Holds tokens and refusals by account.
pub(crate) struct LeaseTable {
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
    pub(super) held: AccountLease,
    /// Those that wait for the call that is under way; none if none is.
    pub(super) waiting: Option<Vec<Waiting>>,
}

/// A request that waits.
pub(super) struct Waiting {
    pub(super) cost: u32,
    pub(super) now: Timestamp,
    pub(super) reply: oneshot::Sender<LeaseReply>,
}

/// Where an entry is.
#[derive(Clone)]
pub(crate) struct Slot {
    hash: u64,
    pub(super) counted: Arc<Counted>,
}

/// What becomes of a request.
pub(crate) enum NextStep {
    /// It is answered.
    Answered(Verdict),
    /// It waits; for a call that is to be made now, if there is a slot.
    Waits(oneshot::Receiver<LeaseReply>, Option<Slot>),
    /// It is to be charged by itself.
    Alone,
}

impl LeaseTable {
    pub(crate) fn new(lease: Lease) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { lease, shards, hasher: RandomState::new() }
    }

    /// Answers a request from what is held, or lets it wait.
    pub(crate) fn next_step(&self, charge: &Charge<'_>) -> NextStep {
        let Charge { record, quotas, cost, mode, now } = *charge;
        let takes = mode == ChargeMode::IfAllowed && cost > 0;
        // What a quota in shadow would have refused is known one request at a time.
        if mode == ChargeMode::Force || quotas.iter().any(|(quota, _)| quota.is_in_shadow()) {
            return NextStep::Alone;
        }
        let hash = self.hash(record, quotas);
        let mut shard = self.shard(hash);
        let found = |entry: &Entry| entry.counted.is_of(record, quotas);
        let most = self.lease.accounts.div_ceil(SHARDS);
        if shard.table.find(hash, found).is_none() {
            if !takes || !shard.has_room(most, now) {
                return NextStep::Alone;
            }
            let counted = Arc::new(Counted::new(record, quotas));
            let entry = Entry { hash, counted, held: AccountLease::default(), waiting: None };
            shard.table.insert_unique(hash, entry, |entry| entry.hash);
        }
        let Some(entry) = shard.table.find_mut(hash, found) else {
            return NextStep::Alone;
        };
        if let Some(verdict) = entry.held.answer(now, cost, !takes) {
            return NextStep::Answered(verdict);
        }
        if !takes {
            return NextStep::Alone;
        }
        let (reply, told) = oneshot::channel();
        let waiting = Waiting { cost, now, reply };
        if let Some(others) = &mut entry.waiting {
            others.push(waiting);
            return NextStep::Waits(told, None);
        }
        entry.waiting = Some(vec![waiting]);
        NextStep::Waits(told, Some(Slot { hash, counted: Arc::clone(&entry.counted) }))
    }

    /// Works on an entry under its lock.
    pub(super) fn with<T>(&self, slot: &Slot, work: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        let mut shard = self.shard(slot.hash);
        let found = |entry: &Entry| Arc::ptr_eq(&entry.counted, &slot.counted);
        shard.table.find_mut(slot.hash, found).map(work)
    }

    fn hash(&self, record: &KeyRecord, quotas: AppliedQuotas<'_>) -> u64 {
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
        let index = (hash >> 32) as usize % SHARDS;
        #[expect(clippy::indexing_slicing, reason = "there are so many")]
        lock(&self.shards[index])
    }

    /// Returns the number of accounts that are remembered.
    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).table.len()).sum()
    }
}

impl Shard {
    /// Makes room for one more account, if need be of those that are idle.
    fn has_room(&mut self, most: usize, now: Timestamp) -> bool {
        if self.table.len() >= most && (now < self.swept || now.since(self.swept) >= SWEEP) {
            self.swept = now;
            self.table.retain(|entry| entry.waiting.is_some() || !entry.held.is_idle(now));
        }
        self.table.len() < most
    }
}

impl fmt::Debug for LeaseTable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LeaseTable").field("accounts", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Answer;
    use crate::question::Marks;
    use tower_api_key::quota::Quota;

    const LEASE: Lease = Lease::new();
    const MINUTE: Quota = Quota::new("minute", 10, Duration::from_secs(60));

    fn at(milliseconds: u64) -> Timestamp {
        Timestamp::from_unix_seconds(1_000).plus(Duration::from_millis(milliseconds))
    }

    fn record(account: &str) -> KeyRecord {
        crate::bare("key_1", account)
    }

    fn next_step(
        leases: &LeaseTable,
        account: &str,
        quota: Quota,
        cost: u32,
        mode: ChargeMode,
    ) -> NextStep {
        let (record, quotas) = (record(account), [quota]);
        let quotas = AppliedQuotas { general: &quotas, route: &[] };
        leases.next_step(&Charge { record: &record, quotas, cost, mode, now: at(0) })
    }

    #[test]
    fn who_takes_nothing_always_takes_or_is_in_shadow_goes_alone_and_leaves_nothing() {
        let leases = LeaseTable::new(LEASE);
        for (quota, cost, mode) in [
            (MINUTE, 1, ChargeMode::Peek),
            (MINUTE, 0, ChargeMode::IfAllowed),
            (MINUTE, 1, ChargeMode::Force),
            (MINUTE.in_shadow(), 1, ChargeMode::IfAllowed),
        ] {
            let step = next_step(&leases, "acme", quota, cost, mode);
            assert!(matches!(step, NextStep::Alone), "{cost} {mode:?}");
            assert_eq!(leases.len(), 0, "{cost} {mode:?}");
        }
    }

    #[test]
    fn the_first_that_waits_makes_a_call_and_others_wait_for_it() {
        let leases = LeaseTable::new(LEASE);
        let mut waiting = Vec::new();
        for (account, limit, calls) in
            [("acme", 10, true), ("acme", 10, false), ("acme", 11, true), ("globex", 10, true)]
        {
            let quota = Quota::new("minute", limit, Duration::from_secs(60));
            let NextStep::Waits(told, slot) =
                next_step(&leases, account, quota, 1, ChargeMode::IfAllowed)
            else {
                panic!("{account} does not wait")
            };
            assert_eq!(slot.is_some(), calls, "{account} {limit}");
            waiting.push(told);
        }
        assert_eq!(leases.len(), 3);
        assert!(waiting.iter_mut().all(|told| told.try_recv().is_err()));
    }

    /// As of one number all accounts would lie in one shard, which is a sixteenth of the room.
    #[test]
    fn accounts_lie_in_all_shards() {
        let leases = LeaseTable::new(LEASE.accounts(SHARDS * 100));
        for number in 0..SHARDS * 50 {
            next_step(&leases, &format!("account_{number}"), MINUTE, 1, ChargeMode::IfAllowed);
        }
        assert_eq!(leases.len(), SHARDS * 50);
        assert_eq!(format!("{leases:?}"), "LeaseTable { accounts: 800, .. }");
    }

    fn entry(held: AccountLease, waiting: Option<Vec<Waiting>>) -> Entry {
        let quotas = AppliedQuotas { general: &[MINUTE], route: &[] };
        let counted = Arc::new(Counted::new(&record("acme"), quotas));
        Entry { hash: 0, counted, held, waiting }
    }

    /// Holds a token until 990 ms have passed, less a thousandth.
    fn busy() -> AccountLease {
        let (verdict, lasts) = (Verdict::passed(), Duration::from_secs(1));
        let mut held = AccountLease::default();
        held.prepare(at(0), &LEASE);
        held.settle(at(0), 1, Answer { verdict, taken: 1, lasts, marks: Marks::new() }, &LEASE);
        held
    }

    fn full_shard(entry: Entry) -> Shard {
        let mut shard = Shard::default();
        shard.table.insert_unique(0, entry, |entry| entry.hash);
        shard
    }

    #[test]
    fn room_is_made_of_what_is_idle_and_that_nobody_waits_for() {
        for (held, waiting, has_room) in [
            (AccountLease::default(), None, true),
            (AccountLease::default(), Some(Vec::new()), false),
            (busy(), None, false),
            (busy(), Some(Vec::new()), false),
        ] {
            let mut shard = full_shard(entry(held, waiting));
            assert_eq!(shard.has_room(1, at(0)), has_room);
            assert_eq!(shard.table.is_empty(), has_room);
            assert!(shard.has_room(2, at(0)), "one lies there at most");
        }
        let mut shard = full_shard(entry(AccountLease::default(), None));
        assert!(shard.has_room(2, at(0)));
        assert!(!shard.table.is_empty(), "while there is room nothing is looked through");
    }

    #[test]
    fn a_full_shard_is_looked_through_from_time_to_time() {
        for (again, has_room) in
            [(at(900), false), (at(999), false), (at(1_000), true), (at(899), true)]
        {
            let mut shard = full_shard(entry(busy(), None));
            assert!(!shard.has_room(1, at(900)));
            for entry in &mut shard.table {
                entry.held = AccountLease::default();
            }
            assert_eq!(shard.has_room(1, again), has_room, "{again:?}");
        }
    }
}
