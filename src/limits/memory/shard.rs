//! A shard of the limiter: meters, and a directory that finds a subject's meter.

use std::hash::{BuildHasher, RandomState};
use std::sync::TryLockError;

use hashbrown::HashTable;

use super::meter::{LockedMeter, Meter};
use super::subject::Subject;
use crate::clock::Timestamp;
use crate::sync::{self, Mutex, MutexGuard, OnceLock, lock, preload};

/// The number of meters that one allocation makes.
const CHUNK: usize = sync::size(256, 2);

/// The meters that a new subject looks at for an idle one, before the shard makes another. So it reuses
/// memory as soon as one meter in eight is idle. Its time does not depend on the number of meters.
const LOOKS: usize = 8;

/// The meters that a new subject looks at if the shard cannot make another.
const LOOKS_WHEN_FULL: usize = 1024;

/// The meters of some of the subjects.
///
/// A thread that holds a meter's lock never waits for the directory's lock. So a thread that holds the
/// directory's lock may wait for a meter's.
#[derive(Debug)]
pub(super) struct Shard {
    meters: Box<[OnceLock<Box<[LockedMeter]>>]>,
    directory: Mutex<Directory>,
    capacity: usize,
}

#[derive(Debug, Default)]
pub(super) struct Directory {
    /// The hashes of subjects, and the places of their meters.
    places: HashTable<(u64, usize)>,
    /// The number of places used so far.
    used: usize,
    /// The next place to look at for an idle meter.
    hand: usize,
}

/// The error for a new subject that finds the limiter full of active subjects.
#[derive(Debug, thiserror::Error)]
#[error(
    "the limiter is full of active accounts and keys: raise the capacity in \
     `MemoryLimiter::with_capacity`"
)]
pub(super) struct Full;

impl Shard {
    pub(super) fn with_capacity(subjects: usize) -> Self {
        Self {
            meters: (0..subjects.div_ceil(CHUNK)).map(|_| OnceLock::new()).collect(),
            directory: Mutex::default(),
            capacity: subjects,
        }
    }

    /// Returns the number of subjects.
    pub(super) fn len(&self) -> usize {
        self.directory().places.len()
    }

    /// Locks the meter at a place. Returns `None` if the shard has made no meter there yet.
    pub(super) fn meter(&self, place: usize) -> Option<MutexGuard<'_, Meter>> {
        let meter = self.slot(place)?;
        // A poisoned lock only means that a thread panicked between two counters of one request.
        Some(lock(&meter.0))
    }

    /// Begins to load the meter at a place from memory.
    #[inline]
    pub(super) fn preload(&self, place: usize) {
        if let Some(meter) = self.slot(place) {
            preload(&meter.0);
        }
    }

    /// Finds the place of a subject's meter, and makes a meter if there is none and `make` is true. The
    /// meter may belong to another subject by the time that the caller locks it.
    pub(super) fn place(
        &self,
        hasher: &RandomState,
        subject: Subject<'_>,
        tag: u64,
        make: bool,
        now: Timestamp,
    ) -> Result<Option<usize>, Full> {
        let hash = hasher.hash_one(subject);
        let mut directory = self.directory();
        let own = |(other, place): &(u64, usize)| {
            *other == hash && self.meter(*place).is_some_and(|meter| meter.is_of(subject))
        };
        if let Some((_, place)) = directory.places.find(hash, own) {
            return Ok(Some(*place));
        }
        if !make {
            return Ok(None);
        }
        let place = self.vacant(&mut directory, hasher, now).ok_or(Full)?;
        let chunk = self.meters.get(place / CHUNK).ok_or(Full)?;
        chunk.get_or_init(|| (0..CHUNK).map(|_| LockedMeter::default()).collect());
        self.meter(place).ok_or(Full)?.begin(subject, tag, now);
        directory.places.insert_unique(hash, (hash, place), |(hash, _)| *hash);
        Ok(Some(place))
    }

    /// Returns a place without a subject.
    fn vacant(
        &self,
        directory: &mut Directory,
        hasher: &RandomState,
        now: Timestamp,
    ) -> Option<usize> {
        let full = directory.used >= self.capacity;
        let looks = if full { LOOKS_WHEN_FULL } else { LOOKS };
        for _ in 0..looks.min(directory.used) {
            let place = directory.hand;
            directory.hand = (place + 1) % directory.used;
            if self.forget_idle(directory, hasher, place, now) {
                return Some(place);
            }
        }
        (directory.used < self.capacity).then(|| {
            directory.used += 1;
            directory.used - 1
        })
    }

    /// Forgets the subject at a place if its counters are idle and no thread holds their lock. Returns true if
    /// the place is free now.
    fn forget_idle(
        &self,
        directory: &mut Directory,
        hasher: &RandomState,
        place: usize,
        now: Timestamp,
    ) -> bool {
        let mut meter = match self.slot(place).map(|meter| meter.0.try_lock()) {
            Some(Ok(meter)) => meter,
            Some(Err(TryLockError::Poisoned(poisoned))) => poisoned.into_inner(),
            Some(Err(TryLockError::WouldBlock)) | None => return false,
        };
        let Some(subject) = meter.subject().filter(|_| meter.is_idle(now)) else {
            return false;
        };
        let hash = hasher.hash_one(subject);
        if let Ok(found) = directory.places.find_entry(hash, |(_, other)| *other == place) {
            found.remove();
        }
        *meter = Meter::default();
        true
    }

    fn slot(&self, place: usize) -> Option<&LockedMeter> {
        self.meters.get(place / CHUNK)?.get()?.get(place % CHUNK)
    }

    pub(super) fn directory(&self) -> MutexGuard<'_, Directory> {
        lock(&self.directory)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::key::AccountId;

    const CAPACITY: usize = 600;

    #[test]
    fn a_full_shard_finds_the_one_that_is_idle_and_makes_no_more() {
        let early = Timestamp::from_unix_seconds(1_000_000);
        let late = early.plus(Duration::from_secs(10));
        let ids: Vec<_> =
            (0..CAPACITY + 2).map(|id| AccountId::new(id.to_string()).unwrap()).collect();
        let subject = |number: usize| Subject { account: &ids[number], key: None };
        for idle in [0, 1, CAPACITY / 2, CAPACITY - 1] {
            let (shard, hasher) = (Shard::with_capacity(CAPACITY), RandomState::new());
            let place = |number, now| shard.place(&hasher, subject(number), 0, true, now);
            for number in 0..CAPACITY {
                assert_eq!(place(number, early).ok(), Some(Some(number)));
            }
            // A new meter waits 1 s for the request that it was made for.
            for number in (0..CAPACITY).filter(|number| *number != idle) {
                shard.meter(number).unwrap().begin(subject(number), 0, late);
            }
            assert_eq!(place(CAPACITY, late).ok(), Some(Some(idle)));
            assert!(place(CAPACITY + 1, late).is_err() && shard.len() == CAPACITY);
            assert_eq!(place(CAPACITY, late).ok(), Some(Some(idle)), "it is found again");
        }
    }
}
