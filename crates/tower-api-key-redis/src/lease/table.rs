//! The table of the tokens that this node holds, of bounded size.

use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::rule::Lease;
use super::shard::{Entry, LeaseReply, Returned, Shard, Slot, Waiting};
use crate::counted::Counted;
use crate::lock::lock;
use tower_api_key::key::KeyRecord;
use tower_api_key::limits::{Charge, ChargeMode};
use tower_api_key::quota::{AppliedQuotas, Per, Verdict};

/// The number of shards, which threads can use at the same time.
const SHARDS: usize = 16;

/// A table of tokens and refusals by account.
pub(crate) struct LeaseTable {
    pub(super) lease: Lease,
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
    /// True while a task watches the batches.
    pub(super) is_watching: AtomicBool,
    /// Held while tokens are given back, so that a process that ends waits for the timer's calls, too.
    pub(super) giving_back: tokio::sync::Mutex<()>,
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
        let (hasher, is_watching) = (RandomState::new(), AtomicBool::new(false));
        Self { lease, shards, hasher, is_watching, giving_back: tokio::sync::Mutex::default() }
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
        self.shard(slot.hash).find(slot).map(work)
    }

    /// Lets the timer watch the batch of an account. Returns false if there is nothing to watch.
    pub(super) fn watch(&self, slot: &Slot) -> bool {
        self.shard(slot.hash).watch(slot)
    }

    /// Ends the batches that are due, or all if `all` is set, and returns what is to be given back. `takes` returns
    /// false for a batch whose server takes nothing now.
    pub(super) fn end_due(
        &self,
        now: Instant,
        takes: impl Fn(&Counted) -> bool,
        all: bool,
    ) -> Vec<Returned> {
        self.shards.iter().flat_map(|shard| lock(shard).end_due(now, &takes, all)).collect()
    }

    /// Returns true if the timer has batches to watch.
    pub(super) fn watches_any(&self) -> bool {
        self.shards.iter().any(|shard| lock(shard).watches_any())
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

impl fmt::Debug for LeaseTable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LeaseTable").field("accounts", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use tower_api_key::caller::Caller;
    use tower_api_key::clock::Timestamp;
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
}
