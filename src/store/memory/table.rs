//! The table from digests to records: an open-addressed hash table that readers search without a lock.
//!
//! A slot has a word of 64 bits. One half is the location of the record. The other half is the beginning of
//! the digest. So a search reads hardly any foreign record, and the table grows without reading records.
//!
//! A slot also knows where a limiter keeps the counters of the record's account. With many keys, record and counters are
//! far away in memory, and a request waits for either. A limiter that loads the counters before the record is read makes
//! a request of a million keys a fifth shorter. Afterwards would be too late: the reference count of the record waits for
//! the record, and no later load begins before a processor has counted.
//!
//! The first bits of the digest choose the slot where the search begins. The search ends at an empty slot.
//! One writer at a time writes a record to its location, and then publishes it with one store into its slot.

use std::sync::atomic::Ordering;

use super::page::{Entry, EntryPage, PAGE_ENTRIES};
use super::slots::{Slots, TableSlot};
use crate::key::{CounterPlace, KeyDigest, SharedRecord};
use crate::sync::{self, OnceLock};

const EMPTY: u64 = 0;
/// A slot whose key was deleted. A search continues after it.
const GONE: u64 = u32::MAX as u64;

/// The fewest slots of a table.
const FEWEST_SLOTS: usize = sync::size(1024, 4);
/// How many of ten slots may be taken before a table grows. A search nearly always ends in its first line or the next. A
/// sparser table would not fit the processor's cache.
const FULL_TENTHS: usize = 8;

/// The slots of a table of which all that a request reads lies in the processor's cache, so that no limiter need load
/// anything.
const NEAR_SLOTS: usize = 16_384;

/// The location of a record: its page, and its position on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Location(u32);

impl Location {
    /// Returns the location after `count` others.
    pub(super) fn nth(count: usize) -> Option<Self> {
        // The last two numbers would look like `GONE` or overflow.
        u32::try_from(count).ok().filter(|number| *number < u32::MAX - 1).map(Self)
    }

    #[expect(clippy::cast_possible_truncation, reason = "the remainder is below 1024")]
    const fn split(self) -> (usize, u32) {
        (self.0 as usize / PAGE_ENTRIES, self.0 % PAGE_ENTRIES as u32)
    }

    /// Returns how many locations come before this one.
    pub(super) const fn number(self) -> usize {
        self.0 as usize
    }
}

/// A table of slots, and the pages of its records.
pub(super) struct Table {
    slots: Slots,
    pages: Box<[OnceLock<EntryPage>]>,
}

impl Table {
    /// Creates a table with room for this many keys, and for as many records that replace them.
    pub(super) fn with_room_for(keys: usize) -> Self {
        let slots = Slots::new((keys * 10 / FULL_TENTHS + 1).max(FEWEST_SLOTS));
        let pages = (slots.len() * FULL_TENTHS / 10 * 2).div_ceil(PAGE_ENTRIES) + 1;
        let pages = (0..pages).map(|_| OnceLock::new()).collect();
        Self { slots, pages }
    }

    /// Creates a table with more room over the same pages.
    pub(super) fn with_more_room(&self, keys: usize) -> Self {
        let larger = Self::with_room_for(keys);
        for (page, copy) in self.pages.iter().zip(&larger.pages) {
            if let Some(page) = page.get() {
                copy.get_or_init(|| page.clone());
            }
        }
        for slot in self.slots.iter() {
            let word = slot.word.load(Ordering::Relaxed);
            if word != EMPTY && word != GONE {
                larger.settle(word, slot.bookmark.place());
            }
        }
        larger
    }

    /// Returns the most slots that may be taken, including those of deleted keys.
    pub(super) const fn most_slots(&self) -> usize {
        self.slots.len() * FULL_TENTHS / 10
    }

    /// Returns the number of locations.
    pub(super) const fn most_locations(&self) -> usize {
        self.pages.len() * PAGE_ENTRIES
    }

    /// Finds a record by all 256 bits of its digest.
    pub(super) fn find(&self, digest: &KeyDigest) -> Option<SharedRecord> {
        let (_, location) = self.slot(digest, |_| ())?;
        let (page, position) = location.split();
        Some(self.pages.get(page)?.get()?.share(position))
    }

    /// Finds a record, and tells before it is read where the counters of its account are.
    pub(super) fn find_and_preload(
        &self,
        digest: &KeyDigest,
        preload: &dyn Fn(CounterPlace),
    ) -> Option<SharedRecord> {
        if self.slots.len() <= NEAR_SLOTS {
            return self.find(digest);
        }
        let (slot, location) = self.slot(digest, |slot| {
            if let Some(place) = slot.bookmark.counters() {
                preload(place);
            }
        })?;
        let (page, position) = location.split();
        let page = self.pages.get(page)?.get()?;
        let bookmark = page.entry(position)?.record.bookmark().place();
        if slot.bookmark.place() != bookmark {
            slot.bookmark.note(bookmark);
        }
        Some(page.share(position))
    }

    /// Returns the entry at a location.
    pub(super) fn entry(&self, location: Location) -> Option<&Entry> {
        let (page, position) = location.split();
        self.pages.get(page)?.get()?.entry(position)
    }

    /// Returns the location of a digest.
    pub(super) fn locate(&self, digest: &KeyDigest) -> Option<Location> {
        self.slot(digest, |_| ()).map(|(_, location)| location)
    }

    /// Writes an entry at an empty location. Readers do not find it before [`publish`](Self::publish).
    pub(super) fn place(&self, location: Location, entry: Entry) {
        let (page, position) = location.split();
        let page = self.pages.get(page).map(|page| page.get_or_init(EntryPage::new));
        let filled = page.is_some_and(|page| page.fill(position, entry));
        debug_assert!(filled, "the location has room and is used once");
    }

    /// Makes an entry visible to readers. It replaces the entry with the same digest.
    pub(super) fn publish(&self, digest: &KeyDigest, location: Location) {
        let word = tag(digest) | (u64::from(location.0) + 1);
        match self.slot(digest, |_| ()) {
            // Release: a reader that sees the word sees the entry.
            Some((slot, _)) => slot.word.store(word, Ordering::Release),
            None => self.settle(word, 0),
        }
    }

    /// Hides a digest from readers.
    pub(super) fn withdraw(&self, digest: &KeyDigest) {
        if let Some((slot, _)) = self.slot(digest, |_| ()) {
            slot.word.store(GONE, Ordering::Release);
        }
    }

    /// Writes a word into the first empty slot of its search. A table always has an empty slot.
    fn settle(&self, word: u64, bookmark: u32) {
        let settled = self.slots.search(word, |slot| {
            (slot.word.load(Ordering::Relaxed) == EMPTY).then(|| {
                slot.bookmark.note(bookmark);
                slot.word.store(word, Ordering::Release);
            })
        });
        debug_assert!(settled.is_some(), "a table is never full");
    }

    /// Returns the slot of a digest, and the location in it. Calls `before` with a slot before it reads the slot's record.
    #[inline]
    fn slot(
        &self,
        digest: &KeyDigest,
        before: impl Fn(TableSlot<'_>),
    ) -> Option<(TableSlot<'_>, Location)> {
        let tag = tag(digest);
        let found = self.slots.search(tag, |slot| {
            let word = slot.word.load(Ordering::Acquire);
            if word == EMPTY {
                return Some(None);
            }
            if word & TAG_BITS != tag || word == GONE {
                return None;
            }
            let location = location(word)?;
            before(slot);
            let entry = self.entry(location)?;
            (entry.digest == *digest).then_some(Some((slot, location)))
        });
        found.flatten()
    }
}

const TAG_BITS: u64 = !(u32::MAX as u64);

/// Returns the half of a slot that is the beginning of the digest.
fn tag(digest: &KeyDigest) -> u64 {
    digest.prefix() & TAG_BITS
}

/// Returns the location in a slot.
fn location(word: u64) -> Option<Location> {
    u32::try_from(word & !TAG_BITS).ok()?.checked_sub(1).map(Location)
}

#[cfg(test)]
#[cfg(not(shuttle))] // Tables are smaller under Shuttle.
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::key::{Account, KeyRecord};

    #[test]
    fn a_table_has_room_for_its_keys_and_for_as_many_that_replace_them() {
        for (keys, most) in
            [(0, 820), (1, 820), (819, 820), (820, 824), (825, 828), (12_345, 12_348)]
        {
            let table = Table::with_room_for(keys);
            assert_eq!(table.most_slots(), most, "for {keys}");
            let spare = table.most_locations() - 2 * most;
            assert!(
                (PAGE_ENTRIES..2 * PAGE_ENTRIES).contains(&spare),
                "{spare} spare locations for {keys}"
            );
        }
    }

    #[test]
    fn no_location_looks_like_an_empty_or_gone_slot() {
        let last = u32::MAX as usize - 2;
        for (count, is_one) in [(0, true), (last, true), (last + 1, false), (last + 2, false)] {
            assert_eq!(Location::nth(count).map(Location::number), is_one.then_some(count));
        }
        assert_eq!(Location::nth(usize::MAX), None);
    }

    #[test]
    fn counters_are_where_a_limiter_has_noted_them_before() {
        let digests: Vec<_> = (1..=100).map(|byte| KeyDigest::from_bytes([byte; 32])).collect();
        let account = Account::builder("acme").build().unwrap();
        let record = KeyRecord::builder("key", account).build().unwrap();
        for (keys, expected) in [(NEAR_SLOTS, vec![7, 7, 8]), (0, vec![])] {
            let (table, loaded) = (Table::with_room_for(keys), RefCell::default());
            for (number, digest) in digests.iter().enumerate() {
                let at = Location::nth(number).unwrap();
                table.place(at, Entry { digest: *digest, record: record.clone() });
                table.publish(digest, at);
            }
            let load = |place: CounterPlace| Vec::push(&mut loaded.borrow_mut(), place.number());
            let find = |table: &Table| table.find_and_preload(&digests[41], &load).unwrap();
            // What a limiter notes at a charge is known from the second lookup after it on.
            find(&table).bookmark().note(7);
            find(&table);
            find(&table).bookmark().note(8);
            find(&table);
            find(&table.with_more_room(2 * keys));
            assert!(table.find_and_preload(&KeyDigest::from_bytes([200; 32]), &load).is_none());
            assert_eq!(*loaded.borrow(), expected, "with room for {keys}");
        }
    }

    #[test]
    fn a_larger_table_has_no_slots_of_deleted_keys() {
        let table = Table::with_room_for(0);
        let account = Account::builder("acme").build().unwrap();
        let record = KeyRecord::builder("key", account).build().unwrap();
        let digests: Vec<_> = (1..=100).map(|byte| KeyDigest::from_bytes([byte; 32])).collect();
        for (number, digest) in digests.iter().enumerate() {
            let at = Location::nth(number).unwrap();
            table.place(at, Entry { digest: *digest, record: record.clone() });
            table.publish(digest, at);
        }
        digests[50..].iter().for_each(|digest| table.withdraw(digest));
        let larger = table.with_more_room(2_000);
        let words = larger.slots.iter().map(|slot| slot.word.load(Ordering::Relaxed));
        assert_eq!(words.filter(|word| *word != EMPTY).count(), 50);
        for (number, digest) in digests.iter().enumerate() {
            assert_eq!(larger.find(digest).is_some(), number < 50, "{number}");
        }
    }
}
