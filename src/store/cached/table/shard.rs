//! A part of the table, which is behind a lock of its own.

use std::sync::Arc;

use super::buckets::{Buckets, Position};
use super::eviction::Eviction;
use super::mark::Mark;
use super::slot::{CacheEntry, CacheSlot};
use crate::key::{CounterPlace, KeyDigest};

/// Entries up to a number.
pub(super) struct CacheShard<E> {
    buckets: Buckets<E>,
    capacity: usize,
    eviction: Eviction,
}

impl<E: CacheEntry> CacheShard<E> {
    /// Creates an empty shard for this many entries.
    pub(super) fn new(capacity: usize) -> Self {
        Self { buckets: Buckets::new(), capacity, eviction: Eviction::default() }
    }

    /// Returns the number of entries.
    pub(super) const fn len(&self) -> usize {
        self.buckets.len()
    }

    /// Returns the most entries.
    #[cfg(all(test, not(shuttle)))]
    pub(super) const fn capacity(&self) -> usize {
        self.capacity
    }

    /// Returns an entry, and calls `preload` before it is read.
    #[inline]
    pub(super) fn find(
        &self,
        sought: Mark,
        digest: &KeyDigest,
        preload: impl Fn(CounterPlace),
    ) -> Option<Arc<E>> {
        let (_, slot, entry) = self.buckets.find(sought, digest, |bookmark| {
            if let Some(place) = bookmark.counters() {
                preload(place);
            }
        })?;
        slot.note_use();
        if let Some(bookmark) = entry.bookmark()
            && bookmark.place() != slot.bookmark.place()
        {
            slot.bookmark.note(bookmark.place());
        }
        Some(Arc::clone(entry))
    }

    /// Keeps an entry, in place of one with the same digest. Returns the entry that it replaces, or that leaves for it.
    pub(super) fn insert(&mut self, mark: Mark, entry: Arc<E>) -> Option<Arc<E>> {
        if let Some(at) = self.buckets.locate(mark, entry.digest()) {
            return self.buckets.slot_mut(at)?.replace(entry);
        }
        if self.capacity == 0 {
            return None;
        }
        let mut left = None;
        if self.len() >= self.capacity {
            let at = self.eviction.choose(&mut self.buckets)?;
            left = self.take(at);
        }
        self.buckets.make_room(self.capacity);
        self.buckets.settle(CacheSlot::new(self.eviction.admit(mark), entry));
        left
    }

    /// Removes an entry, and returns it.
    pub(super) fn remove(&mut self, sought: Mark, digest: &KeyDigest) -> Option<Arc<E>> {
        let at = self.buckets.locate(sought, digest)?;
        self.take(at)
    }

    fn take(&mut self, at: Position) -> Option<Arc<E>> {
        let taken = self.buckets.take(at)?;
        self.eviction.forget(taken.mark());
        taken.entry
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use super::*;
    use crate::store::cached::table::tests::{Numbered, Random, mark};

    impl CacheShard<Numbered> {
        /// Asks for a number as a cache does. Returns false if the shard did not have it; the shard keeps it then.
        fn ask(&mut self, number: u64) -> bool {
            let digest = Numbered::of(number);
            let found = self.find(mark(&digest), &digest, |_| ());
            if found.is_none() {
                self.insert(mark(&digest), Arc::new(Numbered { digest, number }));
            }
            found.is_some()
        }

        fn has(&self, number: u64) -> bool {
            let digest = Numbered::of(number);
            self.buckets.locate(mark(&digest), &digest).is_some()
        }
    }

    /// Keeps what was used last, as the caches of many libraries do.
    struct LeastRecentlyUsed {
        uses: HashMap<u64, u64>,
        order: BTreeMap<u64, u64>,
        capacity: usize,
        now: u64,
    }

    impl LeastRecentlyUsed {
        fn ask(&mut self, number: u64) -> bool {
            self.now += 1;
            let last = self.uses.insert(number, self.now);
            last.map(|last| self.order.remove(&last));
            self.order.insert(self.now, number);
            if self.uses.len() > self.capacity
                && let Some((_, oldest)) = self.order.pop_first()
            {
                self.uses.remove(&oldest);
            }
            last.is_some()
        }
    }

    /// A map is the model. The shard may have less than the map, but nothing else.
    #[test]
    fn a_shard_has_nothing_but_the_latest_entries_and_no_more_than_it_may() {
        for capacity in [0, 1, 2, 19, 20, 100] {
            let mut shard = CacheShard::new(capacity);
            let (mut random, mut model, mut most) = (Random(7), HashMap::new(), 0);
            for number in 0..20_000 {
                let digest = Numbered::of(random.skewed(3 * capacity as u64 + 5));
                let present = shard.find(mark(&digest), &digest, |_| ());
                match random.below(8) {
                    0 => {
                        let removed = shard.remove(mark(&digest), &digest);
                        assert_eq!(removed.is_some(), present.is_some());
                        model.remove(&digest);
                    }
                    1..4 => {
                        shard.insert(mark(&digest), Arc::new(Numbered { digest, number }));
                        model.insert(digest, number);
                        let found = shard.find(mark(&digest), &digest, |_| ());
                        assert_eq!(found.is_some(), capacity > 0, "what was just kept is there");
                    }
                    _ => {}
                }
                if let Some(found) = shard.find(mark(&digest), &digest, |_| ()) {
                    assert_eq!(Some(&found.number), model.get(&digest));
                }
                most = most.max(shard.len());
            }
            assert_eq!(most, capacity);
        }
    }

    #[test]
    fn a_shard_that_is_not_full_keeps_everything() {
        let mut shard = CacheShard::new(1_000);
        assert!((0..1_000).all(|number| !shard.ask(number)));
        assert!((0..1_000).all(|number| shard.ask(number)));
        assert_eq!(shard.len(), 1_000);
    }

    #[test]
    fn a_scan_pushes_out_nothing_that_is_used_again_and_again() {
        const CAPACITY: u64 = 1_000;
        let mut shard = CacheShard::new(CAPACITY as usize);
        let hot = CAPACITY * 9 / 10;
        (0..3).for_each(|_| (0..hot).for_each(|number| _ = shard.ask(number)));
        // Each hot key is asked for once, while a hundred times as many keys as the shard may have are asked for once.
        for number in 0..100 * CAPACITY {
            shard.ask(1_000_000 + number);
            if number % 100 == 0 {
                shard.ask(number / 100 % hot);
            }
        }
        let kept = (0..hot).filter(|number| shard.has(*number)).count();
        assert_eq!(kept, hot as usize);
    }

    #[test]
    fn what_comes_back_soon_stays() {
        let mut shard = CacheShard::new(1_000);
        (0..2).for_each(|_| (0..1_000).for_each(|number| _ = shard.ask(number)));
        // No key stays on probation for that long. But each comes back before it is forgotten.
        let asked =
            |shard: &mut CacheShard<_>| (2_000..2_100).filter(|number| shard.ask(*number)).count();
        assert_eq!(asked(&mut shard), 0);
        let kept = asked(&mut shard);
        asked(&mut shard);
        assert!(kept < 60, "{kept} of 100 were kept at first");
        (5_000..8_000).for_each(|number| _ = shard.ask(number));
        let kept = asked(&mut shard);
        assert!(kept >= 90, "{kept} of 100 were kept when they had come back");
    }

    #[test]
    fn more_requests_hit_than_if_what_was_used_last_was_kept() {
        const CAPACITY: usize = 1_000;
        for (name, scans) in [("skewed", false), ("skewed, with scans", true)] {
            let (mut shard, mut random) = (CacheShard::new(CAPACITY), Random(11));
            let (uses, order) = (HashMap::new(), BTreeMap::new());
            let mut other = LeastRecentlyUsed { uses, order, capacity: CAPACITY, now: 0 };
            let (mut hits, mut theirs) = (0, 0);
            for request in 0..100_000 {
                if scans && request % 2 == 0 {
                    shard.ask(1_000_000 + request);
                    other.ask(1_000_000 + request);
                } else {
                    let number = random.skewed(50_000);
                    hits += u64::from(shard.ask(number));
                    theirs += u64::from(other.ask(number));
                }
            }
            assert!(hits > theirs, "{name}: {hits} hits, and {theirs} of the other");
        }
    }
}
