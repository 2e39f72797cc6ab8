//! The mark of a slot: the beginning of a hash, and how the entry was used.

/// The bits that count uses.
const USES: u32 = 0b0011;
/// The bit of an entry that was used while it was on probation.
const PROTECTED: u32 = 0b0100;
/// The bit that tells a taken slot from an empty one.
const TAKEN: u32 = 0b1000;
const TAG: u32 = !(USES | PROTECTED | TAKEN);

/// What a slot knows of its entry without reading it. An entry begins on probation. Once it was used there, it is
/// protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark(u32);

impl Mark {
    /// The mark of an empty slot.
    pub(super) const EMPTY: Self = Self(0);

    /// Returns the mark of a new entry. Of the hash it takes the second half.
    pub(super) const fn new(hash: u64) -> Self {
        Self((hash >> u32::BITS) as u32 & TAG | TAKEN)
    }

    pub(super) const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    pub(super) const fn bits(self) -> u32 {
        self.0
    }

    /// Returns the part of the hash. It chooses where a search begins.
    pub(super) const fn tag(self) -> u32 {
        self.0 & TAG
    }

    /// Returns true if an entry with this mark may have the same digest.
    pub(super) const fn has_tag_of(self, other: Self) -> bool {
        (self.0 ^ other.0) & (TAG | TAKEN) == 0
    }

    pub(super) const fn is_protected(self) -> bool {
        self.0 & PROTECTED != 0
    }

    /// Returns true if the entry was used since its uses were last discounted.
    pub(super) const fn is_used(self) -> bool {
        self.0 & USES != 0
    }

    /// Counts a use. Returns `None` if no more uses are counted, so that most hits write nothing.
    pub(super) const fn used(self) -> Option<Self> {
        if self.0 & USES == USES { None } else { Some(Self(self.0 + 1)) }
    }

    /// Discounts a use. The entry has one.
    pub(super) const fn discounted(self) -> Self {
        Self(self.0 - self.is_used() as u32)
    }

    /// Returns the mark of the entry once it is protected. Its uses are counted anew.
    pub(super) const fn protected(self) -> Self {
        Self(self.0 & !USES | PROTECTED)
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn a_mark_counts_up_to_three_uses_and_keeps_its_tag() {
        for hash in [0, 0x1234_5678_9abc_def0, u64::MAX] {
            let new = Mark::new(hash);
            assert_ne!(new, Mark::EMPTY, "{hash:x}");
            assert!(!new.is_used() && !new.is_protected() && !Mark::EMPTY.has_tag_of(new));
            let thrice = new.used().and_then(Mark::used).and_then(Mark::used).unwrap();
            assert_eq!((thrice.used(), thrice.discounted().used()), (None, Some(thrice)));
            let protected = thrice.protected();
            assert!(protected.is_protected() && !protected.is_used());
            assert_eq!(protected.discounted(), protected, "it has no use");
            for mark in [thrice, protected, protected.used().unwrap()] {
                assert!(mark.has_tag_of(new) && mark.tag() == new.tag(), "{mark:?}");
            }
        }
        assert!(!Mark::new(1 << 36).has_tag_of(Mark::new(0)));
    }
}
