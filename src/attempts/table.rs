//! A table of leaky buckets by subject, whose memory never grows.

use std::hash::{BuildHasher, Hash, RandomState};
use std::num::NonZeroU64;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::error::ConfigError;
use crate::quota::{LeakyBucket, Quota};
use crate::sync::{Mutex, MutexGuard, lock};

/// The most subjects of a table. The memory is allocated at once, and a failed allocation ends the program.
const MOST: usize = 1 << 24;
/// The subjects that share a set, and a lock.
const WAYS: usize = 8;

/// A table of buckets in sets of eight.
///
/// A hash chooses the set of a subject. No client learns the hash's seed, so an attacker cannot aim at the set
/// of another subject. If a set is full, the emptiest bucket is dropped. To drop the bucket of another
/// subject, an attacker must fill all other buckets of its set further, with as many failures for each.
///
/// Clones share the buckets.
#[derive(Clone)]
pub(super) struct BucketTable {
    sets: Arc<[Mutex<Set>]>,
    hasher: RandomState,
}

type Set = [Slot; WAYS];

/// The slot of a subject, which its whole hash identifies: 64 bits that no client can compute.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Slot {
    hash: Option<NonZeroU64>,
    /// The failed attempts, and the lookups under way.
    pub(super) bucket: LeakyBucket,
    /// The number of lookups under way, each of which is in the bucket.
    pub(super) under_way: u32,
}

impl BucketTable {
    /// Checks the configured number of subjects, which `what` names in the error.
    ///
    /// # Errors
    ///
    /// [`ConfigError::TooManyRemembered`] if the number is too large.
    pub(super) const fn check(what: &'static str, asked: usize) -> Result<(), ConfigError> {
        if asked > MOST {
            return Err(ConfigError::TooManyRemembered { what, asked, most: MOST });
        }
        Ok(())
    }

    /// Creates the table of a limiter with this quota, for this many subjects. Takes over the table and the quota of the
    /// limiter before it, as they are at an instant.
    pub(super) fn new(
        subjects: usize,
        quota: &Quota,
        previous: Option<(&Self, &Quota, Timestamp)>,
    ) -> Self {
        match previous {
            Some((table, old, now)) => table.hand_over(old, quota, subjects, now),
            None => Self::of(sets(subjects), RandomState::new()),
        }
    }

    fn of(sets: usize, hasher: RandomState) -> Self {
        Self { sets: (0..sets).map(|_| Mutex::default()).collect(), hasher }
    }

    /// Returns the table of a limiter that follows the limiter of this one: this table itself, unless the window or the
    /// number of subjects changes. Then it is a copy, in which each bucket is as full as in this table.
    fn hand_over(&self, old: &Quota, new: &Quota, subjects: usize, now: Timestamp) -> Self {
        let sets = sets(subjects);
        if self.sets.len() == sets && old.window() == new.window() {
            return self.clone();
        }
        let copy = Self::of(sets, self.hasher.clone());
        for slots in &*self.sets {
            let slots = *lock(slots);
            for mut slot in slots {
                slot.bucket.rescale(old, new, now);
                // A lookup under way counts as failed, because it ends in the table where it began.
                slot.under_way = 0;
                copy.keep(slot, now);
            }
        }
        copy
    }

    /// Keeps the slot of a subject, unless the set is full of fuller buckets.
    fn keep(&self, slot: Slot, now: Timestamp) {
        let Some(hash) = slot.hash.filter(|_| !slot.bucket.is_idle(now)) else { return };
        let mut set = self.set(hash);
        let emptiest = set.iter_mut().min_by_key(|other| other.bucket);
        if let Some(emptiest) = emptiest.filter(|other| other.bucket < slot.bucket) {
            *emptiest = slot;
        }
    }

    /// Returns the hash that identifies a subject's slot.
    pub(super) fn hash(&self, subject: impl Hash) -> NonZeroU64 {
        NonZeroU64::new(self.hasher.hash_one(subject)).unwrap_or(NonZeroU64::MIN)
    }

    /// Changes the slot of a subject, if it has one.
    pub(super) fn find<T>(
        &self,
        hash: NonZeroU64,
        change: impl FnOnce(&mut Slot) -> T,
    ) -> Option<T> {
        let mut set = self.set(hash);
        set.iter_mut().find(|slot| slot.hash == Some(hash)).map(change)
    }

    /// Changes the slot of a subject. A subject without a slot gets one.
    pub(super) fn with<T>(&self, hash: NonZeroU64, change: impl FnOnce(&mut Slot) -> T) -> T {
        let mut set = self.set(hash);
        let [first, rest @ ..] = &mut *set;
        let mut slot = first;
        for other in rest {
            if slot.hash == Some(hash) {
                break;
            }
            if other.hash == Some(hash) || other.bucket < slot.bucket {
                slot = other;
            }
        }
        if slot.hash != Some(hash) {
            *slot = Slot { hash: Some(hash), ..Slot::default() };
        }
        change(slot)
    }

    #[expect(clippy::indexing_slicing, reason = "there is a set for every remainder")]
    fn set(&self, hash: NonZeroU64) -> MutexGuard<'_, Set> {
        #[expect(clippy::cast_possible_truncation, reason = "the low bits choose")]
        let set = &self.sets[hash.get() as usize % self.sets.len()];
        // No code panics under this lock.
        lock(set)
    }
}

/// Returns the number of sets for this many subjects.
fn sets(subjects: usize) -> usize {
    subjects.div_ceil(WAYS).max(1)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::Timestamp;
    use crate::quota::Quota;

    const NOW: Timestamp = Timestamp::from_unix_seconds(1_000_000);
    const QUOTA: Quota = Quota::new("failed-attempts", 10, Duration::from_secs(600));

    fn table(subjects: usize) -> BucketTable {
        BucketTable::new(subjects, &QUOTA, None)
    }

    fn fail(table: &BucketTable, network: u32, times: u32) {
        table.with(table.hash(network), |slot| {
            slot.bucket.settle(&QUOTA, NOW);
            slot.bucket.take(&QUOTA, NOW, times)
        });
    }

    fn is_over(table: &BucketTable, network: u32) -> bool {
        let network = table.hash(network);
        let wait = table.find(network, |slot| slot.bucket.wait(&QUOTA, NOW, 1));
        wait.flatten().is_some()
    }

    #[test]
    fn a_network_over_its_limit_is_remembered_through_a_flood_of_others() {
        let table = table(1_024);
        (0..100).for_each(|network| fail(&table, network, 10));
        (1_000..200_000).for_each(|network| fail(&table, network, 1));
        let remembered = (0..100).filter(|network| is_over(&table, *network)).count();
        assert_eq!(remembered, 100);
        let innocent = (200_000..210_000).filter(|network| is_over(&table, *network)).count();
        assert_eq!(innocent, 0, "a newcomer inherits nothing");
    }

    #[test]
    fn a_drained_bucket_goes_before_any_other() {
        let table = table(WAYS);
        assert_eq!(table.sets.len(), 1);
        (0..8).for_each(|network| fail(&table, network, network + 1));
        fail(&table, 8, 1);
        let is_there = |number| table.find(table.hash(number), |_| ()).is_some();
        assert!(!is_there(0));
        assert_eq!((1..9).filter(|network| is_there(*network)).count(), 8);
    }

    #[test]
    fn a_table_is_handed_over_with_every_bucket_as_full_as_it_was() {
        const LONG: Quota = Quota::new("failed-attempts", 5, Duration::from_secs(6_000));
        let before = table(64);
        (0..5).for_each(|network| fail(&before, network, 10));
        (5..9).for_each(|network| fail(&before, network, 5));
        let shared = before.hand_over(&QUOTA, &Quota::new("other", 3, QUOTA.window()), 64, NOW);
        assert!(Arc::ptr_eq(&shared.sets, &before.sets), "another limit shares the buckets");
        for (quota, asked) in [(LONG, 64), (QUOTA, 128), (LONG, 1)] {
            let after = before.hand_over(&QUOTA, &quota, asked, NOW);
            assert!(!Arc::ptr_eq(&after.sets, &before.sets));
            let level = |network, cost| {
                let hash = after.hash(network);
                let wait = |slot: &mut Slot| slot.bucket.wait(&quota, NOW, cost);
                after.find(hash, wait).map(|wait| wait.is_some())
            };
            for network in 0..5_u32 {
                assert_eq!(level(network, 1), Some(true), "over the limit, {quota:?} {asked}");
            }
            let half = (5..9_u32).filter(|network| level(*network, 1) == Some(false));
            assert_eq!(half.count(), if asked == 1 { 3 } else { 4 }, "the fullest are kept");
            let more = (5..9_u32).filter(|network| level(*network, 6) == Some(false));
            assert_eq!(more.count(), 0, "half full");
        }
    }

    #[test]
    fn a_network_takes_little_more_than_a_hash_an_instant_and_a_number() {
        assert_eq!(size_of::<Slot>(), 24);
        assert!(size_of::<Mutex<Set>>() <= WAYS * 25);
        assert_eq!(table(0).sets.len(), 1);
        assert_eq!(table(65_536).sets.len(), 8_192);
    }
}
