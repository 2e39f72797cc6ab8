//! Pages of records: filled place by place, read by many, freed as a whole.

use std::array;
use std::sync::Arc;

use crate::key::{KeyDigest, KeyRecord, RecordPage, SharedRecord};
use crate::sync::{self, OnceLock, STRIPES, stripe};

/// RecordPage on a page. A grant in use keeps its whole page, about 100 KB, so pages are not larger.
pub(super) const PLACES: usize = sync::size(1024, 2);

/// A key as the table finds it: digest and record side by side, 96 bytes.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) digest: KeyDigest,
    pub(super) record: KeyRecord,
}

type EntrySlots = Arc<[OnceLock<Entry>]>;

/// One page, and the counts of its users.
#[derive(Clone)]
pub(super) struct EntryPage {
    places: EntrySlots,
    stripes: [Arc<EntryStripe>; STRIPES],
}

/// The places of a page, behind one of its counts. Aligned, so that no two counts share a cache line.
#[repr(align(64))]
struct EntryStripe(EntrySlots);

impl EntryPage {
    pub(super) fn new() -> Self {
        let places: EntrySlots = (0..PLACES).map(|_| OnceLock::new()).collect();
        let stripes = array::from_fn(|_| Arc::new(EntryStripe(Arc::clone(&places))));
        Self { places, stripes }
    }

    /// Puts an entry on a place that is still empty, and tells whether it was.
    pub(super) fn fill(&self, place: u32, entry: Entry) -> bool {
        self.places.get(place as usize).is_some_and(|empty| empty.set(entry).is_ok())
    }

    /// Returns what stands on a place.
    pub(super) fn entry(&self, place: u32) -> Option<&Entry> {
        self.places.get(place as usize)?.get()
    }

    /// Shares the record on a place, under the count that this thread uses.
    pub(super) fn share(&self, place: u32) -> SharedRecord {
        let [first, ..] = &self.stripes;
        let stripe = self.stripes.get(stripe()).unwrap_or(first);
        SharedRecord::new(Arc::<EntryStripe>::clone(stripe), place)
    }
}

impl RecordPage for EntryStripe {
    fn at(&self, place: u32) -> Option<&KeyRecord> {
        self.0.get(place as usize)?.get().map(|entry| &entry.record)
    }
}
