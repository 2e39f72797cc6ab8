//! All meters of a limiter, and how requests find and lock their meters.

use std::cmp::Ordering;
use std::hash::{BuildHasher, RandomState};

use super::super::limiter::{Charge, ChargeMode};
use super::meter::Meter;
use super::place::{MOST_PLACES, Place, SHARDS};
use super::shard::{Full, Shard};
use super::subject::{Claim, Subject};
use crate::key::KeyRecord;
use crate::sync::MutexGuard;

/// Spreads subjects over shards.
#[derive(Debug)]
pub(super) struct Shards {
    shards: Box<[Shard]>,
    hasher: RandomState,
}

/// The error for a place whose meter belongs to another subject.
pub(super) struct Elsewhere;

/// A locked meter, if the request has one.
pub(super) type Locked<'a> = Option<MutexGuard<'a, Meter>>;

impl Shards {
    pub(super) fn with_capacity(subjects: usize) -> Self {
        let share = subjects.div_ceil(SHARDS);
        // Adds six standard deviations of the number of subjects per shard.
        let capacity = (share + 6 * share.isqrt()).clamp(1, MOST_PLACES);
        Self {
            shards: (0..SHARDS).map(|_| Shard::with_capacity(capacity)).collect(),
            hasher: RandomState::new(),
        }
    }

    /// Returns the number of subjects with a meter.
    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(Shard::len).sum()
    }

    /// Locks all directories, so that no request finds a meter in one.
    #[cfg(test)]
    pub(super) fn lock_directories(&self) -> Vec<impl Sized> {
        self.shards.iter().map(Shard::directory).collect()
    }

    /// Returns the first meter of any shard.
    #[cfg(test)]
    pub(super) fn first_meter(&self) -> Locked<'_> {
        self.shards.iter().find_map(|shard| shard.meter(0))
    }

    /// Locks the meters of an account and of a key, in the order of their places. In any other order two
    /// requests could wait for each other, because places are given to other subjects.
    pub(super) fn meters(
        &self,
        account: Option<Place>,
        key: Option<Place>,
        record: &KeyRecord,
    ) -> Result<(Locked<'_>, Locked<'_>), Elsewhere> {
        let lock_account = || self.meter(account, Claim::Tag(record.account_tag()));
        let Some(place) = key else {
            return Ok((lock_account()?, None));
        };
        let lock_key = || self.meter(key, Claim::Subject(Subject::of_key(record)));
        match account.map(|account| account.cmp(&place)) {
            Some(Ordering::Equal) => Err(Elsewhere),
            Some(Ordering::Greater) => {
                let key = lock_key()?;
                Ok((lock_account()?, key))
            }
            Some(Ordering::Less) | None => Ok((lock_account()?, lock_key()?)),
        }
    }

    /// Locks the meter at a place, `None` without a place. Fails if the meter belongs to another subject.
    fn meter(&self, place: Option<Place>, claim: Claim<'_>) -> Result<Locked<'_>, Elsewhere> {
        let Some(place) = place else {
            return Ok(None);
        };
        let meter = self.meter_at(place);
        meter.filter(|meter| meter.answers(claim)).map(Some).ok_or(Elsewhere)
    }

    pub(super) fn meter_at(&self, Place { shard, place }: Place) -> Locked<'_> {
        self.shards.get(shard)?.meter(place)
    }

    /// Begins to load the meter at a place from memory.
    #[inline]
    pub(super) fn preload(&self, Place { shard, place }: Place) {
        if let Some(shard) = self.shards.get(shard) {
            shard.preload(place);
        }
    }

    /// Finds the place of a subject's meter. Makes a meter if there is none, unless the charge is a peek.
    pub(super) fn place(
        &self,
        subject: Subject<'_>,
        tag: u64,
        charge: &Charge<'_>,
    ) -> Result<Option<Place>, Full> {
        let hash = self.hasher.hash_one(subject);
        #[expect(clippy::cast_possible_truncation, reason = "only the low bits are used")]
        let shard = hash as usize % SHARDS;
        let own = self.shards.get(shard).ok_or(Full)?;
        let found =
            own.place(&self.hasher, subject, tag, charge.mode != ChargeMode::Peek, charge.now)?;
        Ok(found.map(|place| Place { shard, place }))
    }
}
