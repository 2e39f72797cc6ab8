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
