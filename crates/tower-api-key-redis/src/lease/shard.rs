//! A part of the table, which one thread at a time uses: its accounts, and the batches that the timer watches.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashTable;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::account::AccountLease;
use super::demand::Pace;
use super::rule::Lease;
use super::server_clock::ServerClock;
use crate::counted::Counted;
use crate::failure::Failure;
use crate::question::Unspent;
use tower_api_key::clock::Timestamp;
use tower_api_key::quota::{Algorithm, Quota, Verdict};

/// The shortest time between two searches of a full shard for idle accounts. In between the shard adds no
/// account.
const SWEEP: Duration = Duration::from_millis(100);

/// The answer to a waiting request.
pub(crate) type LeaseReply = Result<Verdict, Failure>;

#[derive(Default)]
pub(super) struct Shard {
    pub(super) table: HashTable<Entry>,
    swept: Timestamp,
    /// The accounts with a batch that the timer watches.
    watched: Vec<Slot>,
}

pub(super) struct Entry {
    pub(super) hash: u64,
    pub(super) counted: Arc<Counted>,
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
    pub(super) hash: u64,
    pub(super) counted: Arc<Counted>,
}

/// Tokens that are given back without a request.
pub(super) struct Returned {
    pub(super) slot: Slot,
    pub(super) unspent: Unspent,
    pub(super) at: Timestamp,
}

impl Entry {
    pub(super) fn new(hash: u64, counted: Arc<Counted>, lease: &Lease) -> Self {
        let held = AccountLease::new(Pace::new(counted.quotas(), lease));
        Self { hash, counted, held, clock: None, is_watched: false, waiting: None }
    }
}

impl Shard {
    /// Returns the entry of a slot.
    pub(super) fn find(&mut self, slot: &Slot) -> Option<&mut Entry> {
        let found = |entry: &Entry| Arc::ptr_eq(&entry.counted, &slot.counted);
        self.table.find_mut(slot.hash, found)
    }

    /// Lets the timer watch the batch of an account. Returns false if there is nothing to watch.
    pub(super) fn watch(&mut self, slot: &Slot) -> bool {
        // A bucket takes nothing back, because its tokens drain meanwhile.
        let keeps = |quota: &Quota| quota.algorithm() != Algorithm::LeakyBucket;
        let is_kept = slot.counted.quotas().any(keeps);
        let Some(entry) = self.find(slot).filter(|entry| is_kept && entry.held.has_unspent())
        else {
            return false;
        };
        if !mem::replace(&mut entry.is_watched, true) {
            self.watched.push(slot.clone());
        }
        true
    }

    /// Returns true if the timer has batches to watch.
    pub(super) const fn watches_any(&self) -> bool {
        !self.watched.is_empty()
    }

    /// Ends the batches that are due, and watches those that hold tokens still. A batch whose windows are over is let go,
    /// whether its server takes it or not.
    pub(super) fn end_due(
        &mut self,
        now: Instant,
        takes: impl Fn(&Counted) -> bool,
        all: bool,
    ) -> Vec<Returned> {
        let Self { table, watched, .. } = self;
        let mut due = Vec::new();
        watched.retain(|slot| {
            let found = |entry: &Entry| Arc::ptr_eq(&entry.counted, &slot.counted);
            let Some(entry) = table.find_mut(slot.hash, found) else { return false };
            // Of requests' own instants the timer knows nothing, and it does not run then.
            if !all {
                entry.held.let_go(now);
            }
            // To ask whether a server takes it formats a Redis key, so only for what is due.
            if entry.held.is_due(now, all)
                && takes(&entry.counted)
                && let Some((unspent, at)) = entry.held.end_due()
            {
                due.push(Returned { slot: slot.clone(), unspent, at });
            }
            entry.is_watched = entry.held.has_unspent();
            entry.is_watched
        });
        due
    }

    /// Returns true if there is room for one more account. Drops idle accounts if the shard is full.
    pub(super) fn has_room(&mut self, most: usize, now: Timestamp) -> bool {
        if self.table.len() >= most && (now < self.swept || now.since(self.swept) >= SWEEP) {
            self.swept = now;
            self.table.retain(|entry| entry.waiting.is_some() || !entry.held.is_idle(now));
            let Self { table, watched, .. } = self;
            watched.retain(|slot| {
                let found = |entry: &Entry| Arc::ptr_eq(&entry.counted, &slot.counted);
                table.find(slot.hash, found).is_some()
            });
        }
        self.table.len() < most
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Answer;
    use crate::question::Marks;
    use tower_api_key::quota::{AppliedQuotas, QuotaStatus};

    const LEASE: Lease = Lease::new();
    const MINUTE: Quota = Quota::new("minute", 10, Duration::from_secs(60));

    fn at(milliseconds: u64) -> Timestamp {
        Timestamp::from_unix_seconds(1_000).plus(Duration::from_millis(milliseconds))
    }

    fn entry(held: AccountLease, waiting: Option<Vec<Waiting>>) -> Entry {
        let quotas = AppliedQuotas { general: &[MINUTE], route: &[] };
        let counted = Arc::new(Counted::new(&crate::bare("key_1", "acme"), quotas));
        Entry { held, waiting, ..Entry::new(0, counted, &LEASE) }
    }

    fn idle() -> AccountLease {
        AccountLease::new(Pace::new([MINUTE].iter(), &LEASE))
    }

    /// Returns an account with a token, for 990 ms less a thousandth. Its window is over after a minute.
    fn busy() -> AccountLease {
        let (mut verdict, lasts) = (Verdict::passed(), Duration::from_secs(1));
        verdict.push(QuotaStatus::new(10, 9, Duration::from_secs(60)));
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

    #[tokio::test(start_paused = true)]
    async fn only_a_batch_that_is_due_asks_for_its_server() {
        let mut shard = full_shard(entry(busy(), None));
        let slot =
            Slot { hash: 0, counted: Arc::clone(&shard.table.iter().next().unwrap().counted) };
        assert!(shard.watch(&slot));
        let none = |_: &Counted| unreachable!("the batch is not due");
        assert!(shard.end_due(Instant::now(), none, false).is_empty());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(shard.end_due(Instant::now(), |_| false, false).is_empty());
        assert_eq!(shard.end_due(Instant::now(), |_| true, false).len(), 1);
        assert!(!shard.watches_any());
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_whose_window_is_over_is_let_go_also_if_its_server_is_down() {
        let mut shard = full_shard(entry(busy(), None));
        let slot =
            Slot { hash: 0, counted: Arc::clone(&shard.table.iter().next().unwrap().counted) };
        assert!(shard.watch(&slot));
        tokio::time::advance(Duration::from_millis(59_999)).await;
        assert!(shard.end_due(Instant::now(), |_| false, false).is_empty());
        assert!(shard.watches_any(), "the tokens count still");
        tokio::time::advance(Duration::from_millis(1)).await;
        let none = |_: &Counted| unreachable!("there is nothing to give back");
        assert!(shard.end_due(Instant::now(), none, false).is_empty());
        assert!(!shard.watches_any() && !shard.watch(&slot));
    }

    #[tokio::test(start_paused = true)]
    async fn an_account_that_is_dropped_is_not_watched() {
        let mut shard = full_shard(entry(busy(), None));
        let slot =
            Slot { hash: 0, counted: Arc::clone(&shard.table.iter().next().unwrap().counted) };
        assert!(shard.watch(&slot));
        assert!(!shard.has_room(1, at(900)) && shard.watches_any());
        assert!(shard.has_room(1, at(1_000)) && !shard.watches_any());
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
