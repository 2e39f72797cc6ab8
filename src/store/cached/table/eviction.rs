//! The choice of the entry that leaves a full table.

use super::buckets::{Buckets, Position};
use super::mark::Mark;
use super::slot::CacheEntry;

/// One of this many entries may be on probation.
const PROBATION: usize = 20;
/// The most looks at a slot: one on probation, and four once it is protected, for it counts up to three uses.
const LOOKS: usize = 6;

/// Chooses the entry that leaves a full table, so that those stay which are used again and again. A scan of entries that are
/// used once pushes none of them out.
///
/// The policy is S3-FIFO's (Yang et al., SOSP 2023), with a clock in place of each queue. A new entry is on probation. A hand
/// looks at the entries on probation, and those that were used since are protected. The first that was not leaves, but
/// its tag is remembered: if it comes back soon, it is protected at once. If few are on probation, another hand looks
/// at the protected entries. Each look costs an entry one use, and the first without a use leaves.
#[derive(Default)]
pub(super) struct Eviction {
    /// The number of protected entries.
    protected: usize,
    probation_hand: usize,
    protected_hand: usize,
    /// The tags of entries that left. A later one takes the place of an earlier one with a similar tag.
    ghosts: Box<[u32]>,
}

impl Eviction {
    /// Returns the mark with which a new entry begins.
    pub(super) fn admit(&mut self, mark: Mark) -> Mark {
        match self.ghost(mark) {
            Some(ghost) if *ghost == mark.tag() => {
                *ghost = 0;
                self.protected += 1;
                mark.protected()
            }
            _ => mark,
        }
    }

    /// Forgets an entry that is removed.
    pub(super) const fn forget(&mut self, mark: Mark) {
        self.protected -= mark.is_protected() as usize;
    }

    /// Returns the position of the entry that is to leave.
    pub(super) fn choose<E: CacheEntry>(&mut self, buckets: &mut Buckets<E>) -> Option<Position> {
        if self.ghosts.is_empty() {
            // Only a table that was full once needs them.
            self.ghosts = vec![0; buckets.len()].into_boxed_slice();
        }
        let most_on_probation = buckets.len() / PROBATION;
        for _ in 0..LOOKS * buckets.slots() {
            let is_probation = buckets.len() - self.protected > most_on_probation;
            let at = self.turn(is_probation, buckets.slots());
            let Some(slot) = buckets.slot_mut(at) else { continue };
            let mark = slot.mark();
            if mark == Mark::EMPTY || mark.is_protected() == is_probation {
                continue;
            }
            if !mark.is_used() {
                if let Some(ghost) = self.ghost(mark).filter(|_| is_probation) {
                    *ghost = mark.tag();
                }
                return Some(at);
            }
            if is_probation {
                slot.set_mark(mark.protected());
                self.protected += 1;
            } else {
                slot.set_mark(mark.discounted());
            }
        }
        None
    }

    /// Turns a hand to the next slot, and returns the slot where it was.
    const fn turn(&mut self, is_probation: bool, slots: usize) -> Position {
        let hand = if is_probation { &mut self.probation_hand } else { &mut self.protected_hand };
        let at = *hand % slots;
        *hand = at + 1;
        Position(at)
    }

    fn ghost(&mut self, mark: Mark) -> Option<&mut u32> {
        let at = (u64::from(mark.tag()) * self.ghosts.len() as u64) >> u32::BITS;
        self.ghosts.get_mut(at as usize)
    }
}
