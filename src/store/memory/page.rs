//! Pages of records: filled one entry at a time, read by many threads, and freed as a whole.

use std::array;
use std::sync::Arc;

use crate::key::{KeyDigest, KeyRecord, RecordPage, SharedRecord};
use crate::sync::{self, OnceLock, STRIPES, stripe};

/// The number of entries of a page. A grant in use keeps its whole page of about 100 KB in memory, so pages
/// are not larger.
pub(super) const PAGE_ENTRIES: usize = sync::size(1024, 2);

/// A digest with its record, side by side in memory.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) digest: KeyDigest,
    pub(super) record: KeyRecord,
}

type EntrySlots = Arc<[OnceLock<Entry>]>;

/// One page, with several reference counts.
#[derive(Clone)]
pub(super) struct EntryPage {
    entries: EntrySlots,
    stripes: [Arc<EntryStripe>; STRIPES],
}

/// The entries of a page behind one of its reference counts. Aligned, so that no two counts share a cache
/// line.
#[repr(align(64))]
struct EntryStripe(EntrySlots);

impl EntryPage {
    pub(super) fn new() -> Self {
        let entries: EntrySlots = (0..PAGE_ENTRIES).map(|_| OnceLock::new()).collect();
        let stripes = array::from_fn(|_| Arc::new(EntryStripe(Arc::clone(&entries))));
        Self { entries, stripes }
    }

    /// Writes an entry at an empty position. Returns false if the position is taken.
    pub(super) fn fill(&self, position: u32, entry: Entry) -> bool {
        self.entries.get(position as usize).is_some_and(|empty| empty.set(entry).is_ok())
    }

    /// Returns the entry at a position.
    pub(super) fn entry(&self, position: u32) -> Option<&Entry> {
        self.entries.get(position as usize)?.get()
    }

    /// Shares the record at a position, with the reference count of this thread.
    pub(super) fn share(&self, position: u32) -> SharedRecord {
        let [first, ..] = &self.stripes;
        let stripe = self.stripes.get(stripe()).unwrap_or(first);
        SharedRecord::new(Arc::<EntryStripe>::clone(stripe), position)
    }
}

impl RecordPage for EntryStripe {
    fn at(&self, position: u32) -> Option<&KeyRecord> {
        self.0.get(position as usize)?.get().map(|entry| &entry.record)
    }
}
