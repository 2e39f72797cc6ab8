//! An open-addressed hash table of buckets.

use std::mem;
use std::sync::Arc;

use super::super::super::lines::Lines;
use super::mark::Mark;
use super::slot::{Bucket, CacheEntry, CacheSlot, OF_BUCKET};
use crate::key::{Bookmark, KeyDigest};

/// How many of ten slots may be taken.
const FULL_TENTHS: usize = 8;
/// The fewest buckets of a table that is not empty.
const FEWEST: usize = 4;

/// Entries in buckets. A search begins in the bucket that its hash chooses, and goes on after a full bucket only.
///
/// The mark of an entry says where its search begins, so no change reads another entry.
pub(super) struct Buckets<E> {
    lines: Lines<Bucket<E>>,
    taken: usize,
}

/// The number of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position(pub(super) usize);

impl Position {
    const fn of(bucket: usize, slot: usize) -> Self {
        Self(bucket * OF_BUCKET + slot)
    }

    const fn bucket(self) -> usize {
        self.0 / OF_BUCKET
    }
}

impl<E: CacheEntry> Buckets<E> {
    pub(super) fn new() -> Self {
        Self { lines: Lines::new(0), taken: 0 }
    }

    /// Returns the number of entries.
    pub(super) const fn len(&self) -> usize {
        self.taken
    }

    /// Returns the number of slots.
    pub(super) const fn slots(&self) -> usize {
        self.lines.len() * OF_BUCKET
    }

    /// Returns the slot of a digest, its position and its entry. Calls `before` with the bookmark of the slot before it reads
    /// the entry.
    #[inline]
    pub(super) fn find(
        &self,
        sought: Mark,
        digest: &KeyDigest,
        before: impl Fn(&Bookmark),
    ) -> Option<(Position, &CacheSlot<E>, &Arc<E>)> {
        for (bucket, Bucket(slots)) in self.lines.search(sought.tag()) {
            for (number, slot) in slots.iter().enumerate() {
                if !slot.mark().has_tag_of(sought) {
                    continue;
                }
                before(&slot.bookmark);
                if let Some(entry) = &slot.entry
                    && entry.digest() == digest
                {
                    return Some((Position::of(bucket, number), slot, entry));
                }
            }
            if slots.iter().any(CacheSlot::is_empty) {
                return None;
            }
        }
        None
    }

    /// Returns the position of a digest.
    pub(super) fn locate(&self, sought: Mark, digest: &KeyDigest) -> Option<Position> {
        self.find(sought, digest, |_| ()).map(|(at, ..)| at)
    }

    /// Returns a slot to change it.
    pub(super) fn slot_mut(&mut self, at: Position) -> Option<&mut CacheSlot<E>> {
        self.lines.at_mut(at.bucket())?.0.get_mut(at.0 % OF_BUCKET)
    }

    /// Puts a new entry into the first empty slot of its search. The table has room.
    pub(super) fn settle(&mut self, slot: CacheSlot<E>) {
        let home = self.lines.home(slot.mark().tag());
        for bucket in (home..self.lines.len()).chain(0..home) {
            let Some(Bucket(slots)) = self.lines.at_mut(bucket) else { continue };
            if let Some(empty) = slots.iter_mut().find(|slot| slot.is_empty()) {
                *empty = slot;
                self.taken += 1;
                return;
            }
        }
        debug_assert!(false, "the caller has made room");
    }

    /// Makes room for one more entry. The table grows to twice its size, but not beyond the size for `most` entries.
    pub(super) fn make_room(&mut self, most: usize) {
        if (self.taken + 1) * 10 <= self.slots() * FULL_TENTHS {
            return;
        }
        let enough = most.saturating_mul(10).div_ceil(FULL_TENTHS * OF_BUCKET) + 1;
        let buckets = (self.lines.len() * 2).max(FEWEST).min(enough);
        let before = mem::replace(&mut self.lines, Lines::new(buckets));
        self.taken = 0;
        let slots = before.into_boxed().into_iter().flat_map(|Bucket(slots)| slots);
        for slot in slots.filter(|slot| !slot.is_empty()) {
            self.settle(slot);
        }
    }

    /// Empties a slot and returns what it had. Moves later entries to where their searches would end now.
    pub(super) fn take(&mut self, at: Position) -> Option<CacheSlot<E>> {
        let taken = mem::take(self.slot_mut(at)?);
        self.taken -= 1;
        let (mut hole, mut bucket) = (at, at.bucket());
        while self.is_full_without(bucket, hole) {
            bucket = (bucket + 1) % self.lines.len();
            if bucket == at.bucket() {
                break;
            }
            let Some(from) = self.movable(bucket, hole.bucket()) else { continue };
            let moved = self.slot_mut(from).map(mem::take).unwrap_or_default();
            if let Some(slot) = self.slot_mut(hole) {
                *slot = moved;
            }
            hole = from;
        }
        Some(taken)
    }

    /// Returns true if a bucket has no empty slot except a hole, which it may not have.
    fn is_full_without(&self, bucket: usize, hole: Position) -> bool {
        self.lines.at(bucket).is_some_and(|Bucket(slots)| {
            let mut positions = slots.iter().enumerate();
            positions.all(|(slot, at)| Position::of(bucket, slot) == hole || !at.is_empty())
        })
    }

    /// Returns an entry of a bucket whose search passes an earlier bucket.
    fn movable(&self, bucket: usize, earlier: usize) -> Option<Position> {
        let count = self.lines.len();
        let distance = |from: usize, to: usize| (to + count - from) % count;
        let Bucket(slots) = self.lines.at(bucket)?;
        let passes = |slot: &CacheSlot<E>| {
            let home = self.lines.home(slot.mark().tag());
            !slot.is_empty() && distance(home, bucket) >= distance(earlier, bucket)
        };
        slots.iter().position(passes).map(|slot| Position::of(bucket, slot))
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::store::cached::table::tests::{Numbered, Random, mark};

    impl Buckets<Numbered> {
        fn insert(&mut self, entry: Numbered, most: usize) {
            self.make_room(most);
            self.settle(CacheSlot::new(mark(&entry.digest), Arc::new(entry)));
        }

        fn number(&self, digest: &KeyDigest) -> Option<u64> {
            self.find(mark(digest), digest, |_| ()).map(|(.., entry)| entry.number)
        }
    }

    /// Compares with a map. Many searches begin in the same bucket, and the last buckets overflow into the first.
    #[test]
    fn what_was_put_in_is_found_until_it_is_taken_out() {
        for (most, homes) in [(5, 1), (40, 3), (400, 50), (400, u64::MAX)] {
            let (mut random, mut model) = (Random(most as u64), HashMap::new());
            let mut buckets = Buckets::<Numbered>::new();
            for number in 0..20_000 {
                let digest = Numbered::at(random.below(homes), random.below(2 * most as u64));
                if model.contains_key(&digest) {
                    if random.below(2) == 0 {
                        let at = buckets.locate(mark(&digest), &digest).unwrap();
                        let taken = buckets.take(at).and_then(|slot| slot.entry).unwrap();
                        assert_eq!(Some(taken.number), model.remove(&digest));
                    }
                } else if model.len() < most {
                    buckets.insert(Numbered { digest, number }, most);
                    model.insert(digest, number);
                }
                assert_eq!(buckets.number(&digest), model.get(&digest).copied());
                assert_eq!(buckets.len(), model.len());
                if number % 50 == 0 {
                    let all_found =
                        model.iter().all(|(at, number)| buckets.number(at) == Some(*number));
                    assert!(all_found, "after {number} changes");
                }
            }
            let slots = buckets.slots();
            assert!(slots * FULL_TENTHS < (most + 16) * 10, "{slots} slots for {most}");
        }
    }

    #[test]
    fn the_bookmark_beside_an_entry_is_seen_before_the_entry() {
        let mut buckets = Buckets::<Numbered>::new();
        let (one, other) = (Numbered::at(7, 1), Numbered::at(7, 2));
        buckets.insert(Numbered { digest: one, number: 1 }, 10);
        let seen = std::cell::RefCell::new(Vec::new());
        let note = |bookmark: &Bookmark| seen.borrow_mut().push(bookmark.place());
        let (_, slot, _) = buckets.find(mark(&one), &one, note).unwrap();
        slot.bookmark.note(5);
        assert!(buckets.find(mark(&one), &one, note).is_some());
        assert!(buckets.find(mark(&other), &other, note).is_none(), "only its mark is the same");
        assert_eq!(*seen.borrow(), [0, 5, 5]);
        buckets.make_room(10);
        let at = buckets.locate(mark(&one), &one).unwrap();
        assert_eq!(buckets.slot_mut(at).unwrap().bookmark.place(), 5);
    }
}
