//! A slot of the table.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::mark::Mark;
use crate::key::{Bookmark, KeyDigest};
use crate::sync::AtomicU32;

/// The slots of a bucket.
pub(super) const OF_BUCKET: usize = 4;

/// What a table keeps.
pub(in crate::store::cached) trait CacheEntry {
    /// Returns the digest by which the entry is found.
    fn digest(&self) -> &KeyDigest;

    /// Returns the hint to where a limiter keeps the counters of the entry's account, if the entry has one.
    fn bookmark(&self) -> Option<&Bookmark>;
}

/// The place of one entry. Requests share it, and only mark it.
pub(super) struct CacheSlot<E> {
    mark: AtomicU32,
    /// What was last seen in the entry's bookmark. So a limiter can load the counters while the entry is loaded.
    pub(super) bookmark: Bookmark,
    pub(super) entry: Option<Arc<E>>,
}

/// Slots that fill a cache line of the processor.
#[repr(align(64))]
pub(super) struct Bucket<E>(pub(super) [CacheSlot<E>; OF_BUCKET]);

impl<E> CacheSlot<E> {
    #[inline]
    pub(super) fn mark(&self) -> Mark {
        Mark::from_bits(self.mark.load(Ordering::Relaxed))
    }

    pub(super) fn set_mark(&self, mark: Mark) {
        self.mark.store(mark.bits(), Ordering::Relaxed);
    }

    /// Counts a use. Of two that are counted at once, one may be lost.
    #[inline]
    pub(super) fn note_use(&self) {
        if let Some(mark) = self.mark().used() {
            self.set_mark(mark);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.mark() == Mark::EMPTY
    }
}

impl<E: CacheEntry> CacheSlot<E> {
    pub(super) fn new(mark: Mark, entry: Arc<E>) -> Self {
        let bookmark = entry.bookmark().cloned().unwrap_or_default();
        Self { mark: AtomicU32::new(mark.bits()), bookmark, entry: Some(entry) }
    }

    /// Replaces the entry with one of the same digest. Returns the former one.
    pub(super) fn replace(&mut self, entry: Arc<E>) -> Option<Arc<E>> {
        self.note_use();
        self.bookmark = entry.bookmark().cloned().unwrap_or_default();
        self.entry.replace(entry)
    }
}

impl<E> Default for CacheSlot<E> {
    fn default() -> Self {
        let mark = AtomicU32::new(Mark::EMPTY.bits());
        Self { mark, bookmark: Bookmark::default(), entry: None }
    }
}

impl<E> Default for Bucket<E> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| CacheSlot::default()))
    }
}

#[cfg(all(test, not(shuttle)))] // Shuttle's atomics are larger.
mod tests {
    use super::*;

    #[test]
    fn a_bucket_fills_a_cache_line() {
        assert_eq!((size_of::<Bucket<u8>>(), align_of::<Bucket<u8>>()), (64, 64));
    }
}
