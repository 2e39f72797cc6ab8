//! A limiter in memory: exact in one process, bounded, and forgetful of idle accounts.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::arithmetic::Counter;
use super::limiter::{Charge, Limiter, LimiterError};
use super::standing::Verdict;
use crate::clock::Timestamp;
use crate::eventually::Eventually;
use crate::key::{AccountId, KeyId, MAX_QUOTAS, Per, Quota};

/// Parts of the state that can be charged at the same time; a power of two.
const SHARDS: usize = 64;

/// Subjects that a shard holds before it first looks for idle ones.
const FIRST_SWEEP: usize = 64;

/// How much earlier than the latest instant another may be before the clock counts as set back.
const MAX_DISORDER: Duration = Duration::from_secs(60);

/// The counters that one subject keeps before idle ones make room: those of a request, and as many
/// that changed plans have left behind.
const MAX_COUNTERS: usize = 4 * MAX_QUOTAS;

/// Counts requests in this process.
///
/// All counters of an account, those of its keys included, lie in one shard behind one lock, so a
/// request's quotas are charged in one step. Accounts whose windows are over are forgotten when a
/// shard has doubled since it last looked; there are never many more than the capacity.
#[derive(Debug)]
pub struct MemoryLimiter {
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
    capacity_per_shard: usize,
}

#[derive(Default)]
struct Shard {
    accounts: HashMap<AccountId, Counters>,
    keys: HashMap<(AccountId, KeyId), Counters>,
    sweep_at: usize,
    latest: Timestamp,
}

type Counters = Vec<Slot>;

/// The counters that one request is charged to, found once; none for a peek at a new subject.
struct Subjects<'a> {
    account: Option<&'a mut Counters>,
    key: Option<&'a mut Counters>,
}

struct Slot {
    quota: Quota,
    route: bool,
    counter: Counter,
}

/// Says that the limiter is full of active accounts.
#[derive(Debug, thiserror::Error)]
#[error("the limiter holds as many active accounts and keys as it may")]
struct Full;

impl Default for MemoryLimiter {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryLimiter {
    /// Creates a limiter for up to a million active accounts, and keys with quotas of their own.
    pub fn new() -> Self {
        Self::with_capacity(1_000_000)
    }

    /// Creates a limiter for this many active accounts, and keys with quotas of their own. Names do
    /// not spread evenly over the 64 shards, so each takes some more than its share. A subject that
    /// finds its shard full of active ones makes the limiter fail, and the gate's
    /// [`OnLimiterFailure`](super::OnLimiterFailure) decides: to drop an active counter would be to
    /// give its account a fresh quota.
    pub fn with_capacity(subjects: usize) -> Self {
        let share = subjects.div_ceil(SHARDS);
        // Six standard deviations of how many names fall into one shard.
        let uneven = 6 * share.isqrt();
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            capacity_per_shard: share.saturating_add(uneven).max(1),
        }
    }

    /// Returns the number of accounts and keys that are being counted.
    pub fn len(&self) -> usize {
        let subjects = |shard: &Mutex<Shard>| {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.len()
        };
        self.shards.iter().map(subjects).sum()
    }

    /// Tells whether nothing is being counted.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn charge_now(&self, mut charge: Charge<'_>) -> Result<Verdict, LimiterError> {
        #[allow(clippy::cast_possible_truncation)] // Only the low bits are used.
        let index = self.hasher.hash_one(charge.account) as usize % SHARDS;
        let Some(shard) = self.shards.get(index) else {
            return Err(LimiterError::new(Full)); // There are as many shards as remainders.
        };
        // A poisoned lock would only mean a panic between two counters of one request.
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        charge.now = shard.in_order(charge.now);
        let mut verdict = Verdict::passed();
        let mut subjects = shard.subjects(&charge, self.capacity_per_shard)?;
        subjects.each(&charge, |quota, counter| {
            if let Some(wait) = counter.wait(quota, charge.now, charge.cost) {
                verdict.refuse(wait);
            }
        });
        let take = charge.commit && verdict.retry_after().is_none();
        subjects.each(&charge, |quota, counter| {
            if take {
                counter.charge(quota, charge.now, charge.cost);
            }
            verdict.push(counter.standing(quota, charge.now));
        });
        Ok(verdict)
    }
}

impl Limiter for MemoryLimiter {
    fn charge(&self, charge: Charge<'_>) -> Eventually<Result<Verdict, LimiterError>> {
        Eventually::now(self.charge_now(charge))
    }
}

impl Shard {
    fn len(&self) -> usize {
        self.accounts.len() + self.keys.len()
    }

    /// Puts instants in order. A request reads the clock before it waits for the lock, so another
    /// may come first that read it later; to the counters that would look like a clock set back,
    /// and they would forget what lies ahead of it. A clock that really was set back by less stands
    /// still here until it has caught up.
    fn in_order(&mut self, now: Timestamp) -> Timestamp {
        let set_back = self.latest.since(now) > MAX_DISORDER;
        self.latest = if set_back { now } else { self.latest.max(now) };
        self.latest
    }

    /// Finds the counters of a request's subjects, making room for new ones. A request that takes
    /// nothing keeps nothing, either.
    fn subjects(
        &mut self,
        charge: &Charge<'_>,
        capacity: usize,
    ) -> Result<Subjects<'_>, LimiterError> {
        let counts = |per| charge.quotas.iter().any(|(quota, _)| quota.per() == per);
        let account = counts(Per::Account).then_some(charge.account);
        let key = counts(Per::Key).then(|| (charge.account.clone(), charge.key.clone()));
        if charge.commit {
            let missing = usize::from(account.is_some_and(|id| !self.accounts.contains_key(id)))
                + usize::from(key.as_ref().is_some_and(|id| !self.keys.contains_key(id)));
            if missing > 0 {
                self.make_room(missing, capacity, charge.now)?;
                if let Some(account) = account {
                    self.accounts.entry(account.clone()).or_default();
                }
                if let Some(key) = &key {
                    self.keys.entry(key.clone()).or_default();
                }
            }
        }
        Ok(Subjects {
            account: account.and_then(|id| self.accounts.get_mut(id)),
            key: key.and_then(|id| self.keys.get_mut(&id)),
        })
    }

    fn make_room(
        &mut self,
        missing: usize,
        capacity: usize,
        now: Timestamp,
    ) -> Result<(), LimiterError> {
        if self.len() + missing > self.sweep_at.clamp(FIRST_SWEEP.min(capacity), capacity) {
            self.sweep(now);
        }
        if self.len() + missing > capacity {
            return Err(LimiterError::new(Full));
        }
        Ok(())
    }

    /// Forgets every subject whose counters are all as good as new.
    fn sweep(&mut self, now: Timestamp) {
        let active = |counters: &mut Counters| {
            counters.retain(|slot| !slot.counter.is_idle(&slot.quota, now));
            !counters.is_empty()
        };
        self.accounts.retain(|_, counters| active(counters));
        self.keys.retain(|_, counters| active(counters));
        self.sweep_at = 2 * self.len();
    }
}

impl Subjects<'_> {
    /// Visits the counter of each quota of a request, in order.
    fn each(&mut self, charge: &Charge<'_>, mut visit: impl FnMut(&Quota, &mut Counter)) {
        for (quota, route) in charge.quotas.iter() {
            let counters = match quota.per() {
                Per::Account => self.account.as_deref_mut(),
                Per::Key => self.key.as_deref_mut(),
            };
            match counters {
                Some(counters) => visit(quota, slot(counters, quota, route, charge.now)),
                None => visit(quota, &mut Counter::new(quota)),
            }
        }
    }
}

/// Finds the counter of a quota, or starts it. Counters that changed plans have left behind make
/// room when there are too many of them, idle ones first.
fn slot<'a>(
    counters: &'a mut Counters,
    quota: &Quota,
    route: bool,
    now: Timestamp,
) -> &'a mut Counter {
    let fits = |slot: &Slot| slot.route == route && slot.quota.shares_counter(quota);
    let index = counters.iter().position(fits).unwrap_or_else(|| {
        if counters.len() >= MAX_COUNTERS {
            counters.retain(|slot| !slot.counter.is_idle(&slot.quota, now));
        }
        counters.push(Slot { quota: quota.clone(), route, counter: Counter::new(quota) });
        counters.len() - 1
    });
    #[allow(clippy::indexing_slicing)] // Found or pushed just above.
    &mut counters[index].counter
}

impl fmt::Debug for Shard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Shard({} subjects)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::super::limiter::Applicable;
    use super::*;

    const START: Timestamp = Timestamp::from_unix_seconds(1_000_000);
    const MINUTE: Duration = Duration::from_secs(60);

    fn charge(limiter: &MemoryLimiter, account: usize, quotas: &[Quota], now: Timestamp) -> bool {
        let result = limiter.charge_now(Charge {
            account: &AccountId::new(account.to_string()).unwrap(),
            key: &KeyId::new("key").unwrap(),
            quotas: Applicable { general: quotas, route: &[] },
            cost: 1,
            commit: true,
            now,
        });
        result.is_ok_and(|verdict| verdict.retry_after().is_none())
    }

    #[test]
    fn idle_accounts_are_forgotten() {
        let limiter = MemoryLimiter::new();
        let quotas = [Quota::new("minute", 5, MINUTE)];
        for round in 0..10u64 {
            let now = START.plus(Duration::from_secs(60 * round));
            for account in 0..20_000 {
                assert!(charge(&limiter, 20_000 * round as usize + account, &quotas, now));
            }
            assert!(limiter.len() < 50_000, "{} after round {round}", limiter.len());
        }
    }

    #[test]
    fn a_full_limiter_fails_rather_than_forgets() {
        let limiter = MemoryLimiter::with_capacity(1_000);
        let quotas = [Quota::new("minute", 1, MINUTE)];
        let passed = (0..5_000).filter(|n| charge(&limiter, *n, &quotas, START)).count();
        assert!((1_000..=limiter.len()).contains(&passed) && limiter.len() <= 2_560, "{passed}");
        assert!((0..5_000).all(|n| !charge(&limiter, n, &quotas, START)));
        assert!(charge(&limiter, 9_999, &quotas, START.plus(MINUTE)), "all idle by now");
    }

    #[test]
    fn a_peek_keeps_nothing() {
        let limiter = MemoryLimiter::new();
        let verdict = limiter.charge_now(Charge {
            account: &AccountId::new("acme").unwrap(),
            key: &KeyId::new("key").unwrap(),
            quotas: Applicable { general: &[Quota::new("minute", 5, MINUTE)], route: &[] },
            cost: 1,
            commit: false,
            now: START,
        });
        assert_eq!(verdict.unwrap().standings()[0].remaining(), 5);
        assert!(limiter.is_empty());
    }
}
