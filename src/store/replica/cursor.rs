//! Where a reader is in the history of a store.

use super::super::feed::{FeedChanges, FeedPosition};

/// The position up to which all changes are held, and the latest one that any record may show.
///
/// A record can be newer than the position. If the store then loses its latest changes, the position is still in its
/// history, and the record is not. So the store is always asked about both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) position: FeedPosition,
    pub(super) seen: FeedPosition,
}

impl Cursor {
    pub(super) const fn new(position: FeedPosition) -> Self {
        Self { position, seen: position }
    }

    /// Moves behind an answer. Returns false if the answer has more changes and does not move.
    pub(super) fn advance(&mut self, answer: &FeedChanges) -> bool {
        let moved = answer.position != self.position;
        self.position = answer.position;
        self.seen = later(answer.latest, answer.position);
        moved || !answer.more
    }
}

fn later(one: FeedPosition, other: FeedPosition) -> FeedPosition {
    if one.sequence > other.sequence { one } else { other }
}
