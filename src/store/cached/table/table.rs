//! The table itself: shards behind locks.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use super::mark::Mark;
use super::shard::CacheShard;
use super::slot::CacheEntry;
use crate::key::{CounterPlace, KeyDigest};
use crate::sync::{RwLock, read, size, write};

/// The most shards. Threads that change one do not wait for those that read the others.
const MOST_SHARDS: usize = size(64, 1);
/// Entries that a shard has room for, unless the whole table has fewer. Digests do not spread evenly over shards, and
/// the less so, the smaller these are.
const FEWEST_ENTRIES: usize = 512;

/// Shared entries by their digests, up to a number of them.
///
/// A hit takes the lock of a shard for reading, and waits for memory twice: for the bucket of its slot, and for the entry.
/// A limiter loads the counters of the entry's account in the meantime. Most hits write nothing but the two counts, of
/// the lock and of the entry.
pub(in crate::store::cached) struct CacheTable<E> {
    shards: Box<[LockedShard<E>]>,
    /// Random, so that a client that knows digests cannot choose some that share a bucket.
    seeds: [u64; 2],
}

/// Aligned, so that no two locks share a cache line.
#[repr(align(64))]
struct LockedShard<E>(RwLock<CacheShard<E>>);

impl<E: CacheEntry> CacheTable<E> {
    /// Creates an empty table for this many entries.
    pub(in crate::store::cached) fn new(capacity: usize) -> Self {
        // The largest power of two that leaves each shard enough entries.
        let shards = 1 << (capacity / FEWEST_ENTRIES).clamp(1, MOST_SHARDS).ilog2();
        let capacity_of = |shard| capacity / shards + usize::from(shard < capacity % shards);
        let shards =
            (0..shards).map(|shard| LockedShard(RwLock::new(CacheShard::new(capacity_of(shard)))));
        let random = RandomState::new();
        Self { shards: shards.collect(), seeds: [0, 1].map(|seed| random.hash_one(seed)) }
    }

    /// Returns the number of entries.
    pub(in crate::store::cached) fn len(&self) -> usize {
        self.shards.iter().map(|shard| read(&shard.0).len()).sum()
    }

    /// Returns an entry.
    pub(in crate::store::cached) fn find(&self, digest: &KeyDigest) -> Option<Arc<E>> {
        self.find_and_preload(digest, |_| ())
    }

    /// Returns an entry, and tells before it is read where the counters of its account are.
    #[inline]
    pub(in crate::store::cached) fn find_and_preload(
        &self,
        digest: &KeyDigest,
        preload: impl Fn(CounterPlace),
    ) -> Option<Arc<E>> {
        let (shard, mark) = self.shard(digest)?;
        read(shard).find(mark, digest, preload)
    }

    /// Keeps an entry, in place of one with the same digest. Another one leaves if the table is full.
    pub(in crate::store::cached) fn insert(&self, entry: E) {
        let entry = Arc::new(entry);
        if let Some((shard, mark)) = self.shard(entry.digest()) {
            let left = write(shard).insert(mark, entry);
            drop(left); // After the lock was given back.
        }
    }

    /// Removes an entry.
    pub(in crate::store::cached) fn remove(&self, digest: &KeyDigest) {
        if let Some((shard, mark)) = self.shard(digest) {
            let removed = write(shard).remove(mark, digest);
            drop(removed); // After the lock was given back.
        }
    }

    /// Returns the shard of a digest, and the mark of a new entry there.
    #[inline]
    fn shard(&self, digest: &KeyDigest) -> Option<(&RwLock<CacheShard<E>>, Mark)> {
        let [seed, factor] = self.seeds;
        let product = u128::from(digest.prefix() ^ seed) * u128::from(factor | 1);
        #[expect(clippy::cast_possible_truncation, reason = "both halves go into the hash")]
        let hash = product as u64 ^ (product >> u64::BITS) as u64;
        #[expect(clippy::cast_possible_truncation, reason = "the shards are few")]
        // The number of shards is a power of two.
        let shard = self.shards.get(hash as usize & (self.shards.len() - 1))?;
        Some((&shard.0, Mark::new(hash)))
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use super::*;
    use crate::store::cached::table::tests::Numbered;

    #[test]
    fn shards_together_have_the_capacity() {
        for (capacity, shards) in
            [(0, 1), (1, 1), (1_023, 1), (1_024, 2), (100_001, 64), (usize::MAX, 64)]
        {
            let table = CacheTable::<Numbered>::new(capacity);
            assert_eq!(table.shards.len(), shards, "for {capacity}");
            let of_all = table.shards.iter().map(|shard| read(&shard.0).capacity());
            assert_eq!(of_all.sum::<usize>(), capacity);
        }
        let table = CacheTable::new(2_000);
        for number in 0..10_000 {
            table.insert(Numbered { digest: Numbered::of(number), number });
        }
        assert_eq!(table.len(), 2_000);
    }

    /// Readers ask for what is always there, while others come and go, and the table grows.
    #[test]
    fn readers_never_miss_an_entry_that_is_being_replaced() {
        const OTHERS: u64 = 20_000;
        let (table, ends) = (CacheTable::new(200_000), AtomicBool::new(false));
        let digest = Numbered::of(0);
        table.insert(Numbered { digest, number: 0 });
        thread::scope(|scope| {
            let reader = || {
                let mut latest = 0;
                while !ends.load(Ordering::SeqCst) {
                    let found = table.find(&digest).expect("it is always there");
                    assert!(found.number >= latest && found.digest == digest);
                    latest = found.number;
                }
            };
            let readers = [scope.spawn(reader), scope.spawn(reader)];
            for number in 1..OTHERS {
                table.insert(Numbered { digest, number });
                table.insert(Numbered { digest: Numbered::of(number), number });
                table.remove(&Numbered::of(number / 2 + 1));
            }
            ends.store(true, Ordering::SeqCst);
            readers.into_iter().for_each(|reader| reader.join().unwrap());
        });
        assert_eq!(table.len() as u64, 1 + OTHERS / 2 - 1);
    }
}
