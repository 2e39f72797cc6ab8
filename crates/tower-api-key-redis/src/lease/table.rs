//! The table of the tokens that this node holds, of bounded size.

use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use hashbrown::HashTable;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::account::AccountLease;
use super::demand::Pace;
use super::rule::Lease;
use super::server_clock::ServerClock;
use super::timer::BatchTimer;
use crate::failure::Failure;
use crate::lock::lock;
use crate::question::{Counted, Unspent};
use tower_api_key::clock::Timestamp;
use tower_api_key::key::KeyRecord;
use tower_api_key::limits::{Charge, ChargeMode};
use tower_api_key::quota::{Algorithm, AppliedQuotas, Per, Quota, Verdict};

/// The number of shards, which threads can use at the same time.
const SHARDS: usize = 16;

/// The shortest time between two searches of a full shard for idle accounts. In between the shard adds no
/// account.
const SWEEP: Duration = Duration::from_millis(100);

/// The answer to a waiting request.
pub(crate) type LeaseReply = Result<Verdict, Failure>;

/// A table of tokens and refusals by account.
pub(crate) struct LeaseTable {
    pub(super) lease: Lease,
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
    pub(super) timer: BatchTimer,
}

#[derive(Default)]
pub(super) struct Shard {
    table: HashTable<Entry>,
    swept: Timestamp,
    /// The accounts with a batch that the timer watches.
    watched: Vec<Slot>,
}

pub(super) struct Entry {
    hash: u64,
    counted: Arc<Counted>,
    pub(super) held: AccountLease,
    pub(super) clock: Option<ServerClock>,
    is_watched: bool,
    /// The requests that wait for the call under way; `None` if no call is under way.
    pub(super) waiting: Option<Vec<Waiting>>,
}

/// A waiting request.
pub(super) struct Waiting {
    pub(super) cost: u32,
    pub(super) now: Timestamp,
    pub(super) reply: oneshot::Sender<LeaseReply>,
}

/// The key of an entry.
#[derive(Clone)]
pub(crate) struct Slot {
    hash: u64,
    pub(super) counted: Arc<Counted>,
}

/// Tokens that are given back without a request.
pub(super) struct Returned {
    pub(super) slot: Slot,
    pub(super) unspent: Unspent,
    pub(super) at: Timestamp,
}

/// The next step of a request.
pub(crate) enum NextStep {
    /// The request is answered.
    Answered(Verdict),
    /// The request waits for a call. With a slot, the caller must start this call.
    Waits(oneshot::Receiver<LeaseReply>, Option<Slot>),
    /// The caller must charge the request by itself.
    Alone,
}

impl LeaseTable {
    pub(crate) fn new(lease: Lease) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { lease, shards, hasher: RandomState::new(), timer: BatchTimer::default() }
    }

    /// Answers a request from the table, or lets it wait.
    pub(crate) fn next_step(&self, record: &KeyRecord, charge: &Charge<'_>) -> NextStep {
        let Charge { quotas, cost, mode, now, .. } = *charge;
        let takes = mode == ChargeMode::IfAllowed && cost > 0;
        // Whether a quota in shadow would refuse is known only if requests are charged one by one.
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
            let entry = Entry::new(hash, counted, &self.lease);
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
        let (reply, receiver) = oneshot::channel();
        let waiting = Waiting { cost, now, reply };
        if let Some(others) = &mut entry.waiting {
            others.push(waiting);
            return NextStep::Waits(receiver, None);
        }
        entry.waiting = Some(vec![waiting]);
        NextStep::Waits(receiver, Some(Slot { hash, counted: Arc::clone(&entry.counted) }))
    }

    /// Calls a function with an entry, under the lock of its shard.
    pub(super) fn with<T>(&self, slot: &Slot, work: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        let mut shard = self.shard(slot.hash);
        let found = |entry: &Entry| Arc::ptr_eq(&entry.counted, &slot.counted);
        shard.table.find_mut(slot.hash, found).map(work)
    }

    /// Lets the timer watch the batch of an account. Returns false if there is no batch, or if it is watched.
    pub(super) fn watch(&self, slot: &Slot) -> bool {
        let mut shard = self.shard(slot.hash);
        let found = |entry: &Entry| Arc::ptr_eq(&entry.counted, &slot.counted);
        let Some(entry) = shard.table.find_mut(slot.hash, found) else { return false };
        // A bucket takes nothing back, because its tokens drain meanwhile.
        let keeps = |quota: &Quota| quota.algorithm() != Algorithm::LeakyBucket;
        let is_kept = slot.counted.quotas().any(keeps);
        let begins = is_kept && entry.held.has_unspent() && !entry.is_watched;
        if begins {
            entry.is_watched = true;
            shard.watched.push(slot.clone());
        }
        begins
    }

    /// Ends the batches that are due, or all if `all` is set, and returns what is to be given back.
    pub(super) fn end_due(&self, now: Instant, all: bool) -> Vec<Returned> {
        self.shards.iter().flat_map(|shard| lock(shard).end_due(now, all)).collect()
    }

    /// Returns true if the timer has batches to watch.
    pub(super) fn watches_any(&self) -> bool {
        self.shards.iter().any(|shard| !lock(shard).watched.is_empty())
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
        // The table itself uses the low bits and the highest bits.
        let index = (hash >> 32) as usize % SHARDS;
        #[expect(clippy::indexing_slicing, reason = "there are SHARDS shards")]
        lock(&self.shards[index])
    }

    /// Returns the number of accounts in the table.
    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).table.len()).sum()
    }
}

impl Entry {
    fn new(hash: u64, counted: Arc<Counted>, lease: &Lease) -> Self {
        let held = AccountLease::new(Pace::new(counted.quotas(), lease));
        Self { hash, counted, held, clock: None, is_watched: false, waiting: None }
    }
}

impl Shard {
    /// Ends the batches that are due, and watches those that hold tokens still.
    fn end_due(&mut self, now: Instant, all: bool) -> Vec<Returned> {
        let Self { table, watched, .. } = self;
        let mut due = Vec::new();
        watched.retain(|slot| {
            let found = |entry: &Entry| Arc::ptr_eq(&entry.counted, &slot.counted);
            let Some(entry) = table.find_mut(slot.hash, found) else { return false };
            if let Some((unspent, at)) = entry.held.end_if_due(now, all) {
                due.push(Returned { slot: slot.clone(), unspent, at });
            }
            entry.is_watched = entry.held.has_unspent();
            entry.is_watched
        });
        due
    }

    /// Returns true if there is room for one more account. Drops idle accounts if the shard is full.
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
    use tower_api_key::caller::Caller;

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
        let (record, general) = (&record(account), &[quota]);
        let (caller, quotas) = (Caller::Key(record), AppliedQuotas { general, route: &[] });
        leases.next_step(record, &Charge { caller, quotas, cost, mode, now: at(0) })
    }

    #[test]
    fn peeks_forced_costs_and_shadows_go_alone_and_leave_no_entry() {
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
            let NextStep::Waits(receiver, slot) =
                next_step(&leases, account, quota, 1, ChargeMode::IfAllowed)
            else {
                panic!("{account} does not wait")
            };
            assert_eq!(slot.is_some(), calls, "{account} {limit}");
            waiting.push(receiver);
        }
        assert_eq!(leases.len(), 3);
        assert!(waiting.iter_mut().all(|receiver| receiver.try_recv().is_err()));
    }

    /// With one hash for all, all accounts would lie in one shard, a sixteenth of the table.
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
        Entry { held, waiting, ..Entry::new(0, counted, &LEASE) }
    }

    fn idle() -> AccountLease {
        AccountLease::new(Pace::new([MINUTE].iter(), &LEASE))
    }

    /// Returns an account with a token, for 990 ms less a thousandth.
    fn busy() -> AccountLease {
        let (verdict, lasts) = (Verdict::passed(), Duration::from_secs(1));
        let mut held = idle();
        held.prepare(at(0), &LEASE, false);
        let (marks, served_at, is_late) = (Marks::new(), 0, false);
        let answer = Answer { verdict, taken: 1, lasts, marks, served_at, is_late };
        held.settle(at(0), 1, answer, &LEASE);
        held
    }

    fn full_shard(entry: Entry) -> Shard {
        let mut shard = Shard::default();
        shard.table.insert_unique(0, entry, |entry| entry.hash);
        shard
    }

    #[test]
    fn only_idle_accounts_without_waiting_requests_are_dropped() {
        for (held, waiting, has_room) in [
            (idle(), None, true),
            (idle(), Some(Vec::new()), false),
            (busy(), None, false),
            (busy(), Some(Vec::new()), false),
        ] {
            let mut shard = full_shard(entry(held, waiting));
            assert_eq!(shard.has_room(1, at(0)), has_room);
            assert_eq!(shard.table.is_empty(), has_room);
            assert!(shard.has_room(2, at(0)), "at most one entry is there");
        }
        let mut shard = full_shard(entry(idle(), None));
        assert!(shard.has_room(2, at(0)));
        assert!(!shard.table.is_empty(), "a shard with room keeps idle accounts");
    }

    #[test]
    fn a_full_shard_is_searched_from_time_to_time() {
        for (again, has_room) in
            [(at(900), false), (at(999), false), (at(1_000), true), (at(899), true)]
        {
            let mut shard = full_shard(entry(busy(), None));
            assert!(!shard.has_room(1, at(900)));
            for entry in &mut shard.table {
                entry.held = idle();
            }
            assert_eq!(shard.has_room(1, again), has_room, "{again:?}");
        }
    }
}
