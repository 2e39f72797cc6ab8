//! The place of a meter, which an account's bookmark remembers.

use crate::key::{Bookmark, CounterPlace};
use crate::sync;

/// The number of shards, which can add subjects at the same time; a power of two.
pub(super) const SHARDS: usize = sync::size(16, 1);

/// The most places of a shard: 67 million in all shards, which take 8 GB. A bookmark of 32 bits can hold
/// the number of a shard and a place.
pub(super) const MOST_PLACES: usize = 1 << 22;

/// The number of a shard, and the index of a meter in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) shard: usize,
    pub(super) place: usize,
}

impl Place {
    /// Reads the place that an account's bookmark holds. Another limiter may have written it.
    pub(super) fn noted(bookmark: &Bookmark) -> Option<Self> {
        bookmark.counters().map(Self::of)
    }

    /// Reads a place that somebody else remembers.
    pub(super) const fn of(place: CounterPlace) -> Self {
        let number = place.number() as usize - 1;
        Self { shard: number % SHARDS, place: number / SHARDS }
    }

    pub(super) fn note(self, bookmark: &Bookmark) {
        let number = u32::try_from(self.place * SHARDS + self.shard + 1);
        bookmark.note(number.unwrap_or(0));
    }

    pub(super) fn forget(bookmark: &Bookmark) {
        bookmark.note(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_remembered_as_it_was_noted() {
        let bookmark = Bookmark::default();
        assert_eq!(Place::noted(&bookmark), None);
        for shard in [0, 1, SHARDS - 1] {
            for place in [0, 1, 1_000, MOST_PLACES - 1] {
                let noted = Place { shard, place };
                noted.note(&bookmark);
                assert_eq!(Place::noted(&bookmark), Some(noted));
                assert_eq!(Place::noted(&bookmark.clone()), Some(noted));
            }
        }
        Place::forget(&bookmark);
        assert_eq!(Place::noted(&bookmark), None);
    }
}
