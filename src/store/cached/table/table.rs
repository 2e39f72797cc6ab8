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
        let shards = (0..shards).map(|shard| LockedShard(RwLock::new(CacheShard::new(capacity_of(shard)))));
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
