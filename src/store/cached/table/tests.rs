//! What the tests of the table share.

use super::mark::Mark;
use super::slot::CacheEntry;
use crate::key::{Bookmark, KeyDigest};

/// An entry with a number.
pub(super) struct Numbered {
    pub(super) digest: KeyDigest,
    pub(super) number: u64,
}

impl Numbered {
    /// Returns a digest. The first number becomes its hash.
    pub(super) fn at(hash: u64, rest: u64) -> KeyDigest {
        let mut bytes = [0; 32];
        let (first, others) = bytes.split_at_mut(8);
        first.copy_from_slice(&hash.to_be_bytes());
        others[..8].copy_from_slice(&rest.to_be_bytes());
        KeyDigest::from_bytes(bytes)
    }

    /// Returns a digest whose hash is as good as random.
    pub(super) fn of(number: u64) -> KeyDigest {
        Self::at(Random(number).next(), number)
    }
}

impl CacheEntry for Numbered {
    fn digest(&self) -> &KeyDigest {
        &self.digest
    }

    fn bookmark(&self) -> Option<&Bookmark> {
        None
    }
}

/// Returns the mark of a digest. Of few different hashes the marks are far apart.
pub(super) fn mark(digest: &KeyDigest) -> Mark {
    Mark::new(digest.prefix().wrapping_mul(0xd6e8_feb8_6659_fd93))
}

/// Draws numbers, the same ones for one seed (SplitMix64).
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub(super) fn below(&mut self, most: u64) -> u64 {
        self.next() % most
    }

    /// Draws a number below another one. Small numbers come more often: the n-th in proportion to 1/n, about.
    pub(super) fn skewed(&mut self, most: u64) -> u64 {
        let first = (1 << self.below(u64::from(most.ilog2()) + 1)) - 1;
        (first + self.below(first + 1)).min(most - 1)
    }
}
