//! A table of leaky buckets by subject, whose memory never grows.

use std::hash::{BuildHasher, Hash, RandomState};
use std::num::NonZeroU64;

use crate::error::ConfigError;
use crate::quota::LeakyBucket;
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
pub(super) struct BucketTable {
    sets: Box<[Mutex<Set>]>,
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
    /// Creates a table for the configured number of subjects. Fails if the number is too large; `what` names
    /// the subjects in the error.
    pub(super) fn sized(what: &'static str, asked: usize) -> Result<Self, ConfigError> {
        if asked > MOST {
            return Err(ConfigError::TooManyRemembered { what, asked, most: MOST });
        }
        Ok(Self::with_room_for(asked))
    }

    pub(super) fn with_room_for(networks: usize) -> Self {
        let sets = networks.div_ceil(WAYS).max(1);
        Self { sets: (0..sets).map(|_| Mutex::default()).collect(), hasher: RandomState::new() }
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::Timestamp;
    use crate::quota::Quota;

    const NOW: Timestamp = Timestamp::from_unix_seconds(1_000_000);
    const QUOTA: Quota = Quota::new("failed-attempts", 10, Duration::from_secs(600));

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
        let table = BucketTable::with_room_for(1_024);
        (0..100).for_each(|network| fail(&table, network, 10));
        (1_000..200_000).for_each(|network| fail(&table, network, 1));
        let remembered = (0..100).filter(|network| is_over(&table, *network)).count();
        assert_eq!(remembered, 100);
        let innocent = (200_000..210_000).filter(|network| is_over(&table, *network)).count();
        assert_eq!(innocent, 0, "a newcomer inherits nothing");
    }

    #[test]
    fn a_drained_bucket_goes_before_any_other() {
        let table = BucketTable::with_room_for(WAYS);
        assert_eq!(table.sets.len(), 1);
        (0..8).for_each(|network| fail(&table, network, network + 1));
        fail(&table, 8, 1);
        let is_there = |number| table.find(table.hash(number), |_| ()).is_some();
        assert!(!is_there(0));
        assert_eq!((1..9).filter(|network| is_there(*network)).count(), 8);
    }

    #[test]
    fn a_network_takes_little_more_than_a_hash_an_instant_and_a_number() {
        assert_eq!(size_of::<Slot>(), 24);
        assert!(size_of::<Mutex<Set>>() <= WAYS * 25);
        assert_eq!(BucketTable::with_room_for(0).sets.len(), 1);
        assert_eq!(BucketTable::with_room_for(65_536).sets.len(), 8_192);
    }
}
