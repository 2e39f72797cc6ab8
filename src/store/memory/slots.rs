//! The slots of the table, five to a cache line.

use super::super::lines::Lines;
use crate::key::Bookmark;
use crate::sync::AtomicU64;

/// The slots of a cache line.
const OF_LINE: usize = 5;

/// Slots that fill a cache line.
#[derive(Default)]
#[repr(align(64))]
struct SlotLine {
    words: [AtomicU64; OF_LINE],
    bookmarks: [Bookmark; OF_LINE],
}

/// The place of a key in the table.
#[derive(Clone, Copy)]
pub(super) struct TableSlot<'a> {
    /// The beginning of the key's digest, and the location of its record.
    pub(super) word: &'a AtomicU64,
    /// What was last seen in the record's bookmark.
    pub(super) bookmark: &'a Bookmark,
}

/// All slots of a table.
pub(super) struct Slots(Lines<SlotLine>);

impl Slots {
    /// Creates this many empty slots or a few more.
    pub(super) fn new(slots: usize) -> Self {
        Self(Lines::new(slots.div_ceil(OF_LINE)))
    }

    /// Returns the number of slots.
    pub(super) const fn len(&self) -> usize {
        self.0.len() * OF_LINE
    }

    /// Lists all slots.
    pub(super) fn iter(&self) -> impl Iterator<Item = TableSlot<'_>> {
        self.0.iter().flat_map(SlotLine::slots)
    }

    /// Visits slots in the order of the search for a word, up to the one for which `visit` returns something.
    #[inline]
    pub(super) fn search<'a, T>(
        &'a self,
        word: u64,
        mut visit: impl FnMut(TableSlot<'a>) -> Option<T>,
    ) -> Option<T> {
        for (_, line) in self.0.search((word >> u32::BITS) as u32) {
            for slot in line.slots() {
                if let Some(found) = visit(slot) {
                    return Some(found);
                }
            }
        }
        None
    }
}

impl SlotLine {
    #[inline]
    fn slots(&self) -> impl Iterator<Item = TableSlot<'_>> {
        self.words.iter().zip(&self.bookmarks).map(|(word, bookmark)| TableSlot { word, bookmark })
    }
}

#[cfg(test)]
#[cfg(not(shuttle))] // Shuttle's atomics are larger.
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;

    #[test]
    fn a_line_fills_a_cache_line() {
        assert_eq!((size_of::<SlotLine>(), align_of::<SlotLine>()), (64, 64));
    }

    #[test]
    fn a_search_visits_each_slot_once_beginning_with_those_of_its_line() {
        let slots = Slots::new(12);
        assert_eq!(slots.len(), 15);
        for (number, slot) in slots.iter().enumerate() {
            slot.word.store(number as u64, Ordering::Relaxed);
        }
        for (word, first) in [(0, 0), (u64::MAX / 2, 5), (u64::MAX, 10)] {
            let mut seen = Vec::new();
            let found = slots.search(word, |slot| {
                seen.push(slot.word.load(Ordering::Relaxed));
                None::<()>
            });
            assert_eq!(found, None);
            let expected: Vec<u64> = (0..15).map(|step| (first + step) % 15).collect();
            assert_eq!(seen, expected, "for {word:x}");
        }
        let visited = slots.search(u64::MAX, |slot| Some(slot.word.load(Ordering::Relaxed)));
        assert_eq!(visited, Some(10));
    }
}
