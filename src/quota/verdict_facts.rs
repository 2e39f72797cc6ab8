//! What a verdict knows beside its statuses, in one word.
//!
//! A verdict is copied just after it was written. A processor that reads eight bytes which were written in parts waits
//! until the parts are in the cache, 3 ns each time.

/// The number of statuses of a verdict, and what is known of each.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct VerdictFacts(u64);

/// A fact about each of the first statuses. Its bits begin at this place of the word.
#[derive(Debug, Clone, Copy)]
pub(super) enum StatusFact {
    /// No client may see the status: it is that of a quota in shadow, or unknown.
    Silent = 32,
    /// The quota in shadow would have refused.
    WouldRefuse = 47,
}

/// The statuses about which a verdict knows more. A limiter of another crate may push more statuses than a request has
/// quotas.
const MOST: usize = 15;
const COUNTED_TOGETHER: u64 = 1 << 63;

impl VerdictFacts {
    /// Returns the number of statuses.
    #[expect(clippy::cast_possible_truncation, reason = "the lower half of the word is a `u32`")]
    pub(super) const fn count(self) -> usize {
        self.0 as u32 as usize
    }

    /// Sets the number of statuses to this one if it is larger.
    pub(super) fn count_to(&mut self, count: usize) {
        if count > self.count() {
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            self.0 = self.0 & !u64::from(u32::MAX) | u64::from(count);
        }
    }

    /// Notes a fact about a status.
    pub(super) const fn note(&mut self, fact: StatusFact, index: usize) {
        if index < MOST {
            self.0 |= 1 << (fact as usize + index);
        }
    }

    /// Returns true if a fact about a status was noted.
    pub(super) const fn has(self, fact: StatusFact, index: usize) -> bool {
        index < MOST && self.0 >> (fact as usize + index) & 1 == 1
    }

    /// Lists the statuses about which a fact was noted.
    pub(super) fn all(self, fact: StatusFact) -> impl Iterator<Item = usize> {
        let noted = self.0 >> fact as usize & ((1 << MOST) - 1);
        let most = if noted == 0 { 0 } else { MOST };
        (0..most).filter(move |index| noted >> index & 1 == 1)
    }

    /// Records that all processes count together.
    pub(super) const fn set_counted_together(&mut self) {
        self.0 |= COUNTED_TOGETHER;
    }

    pub(super) const fn is_counted_together(self) -> bool {
        self.0 & COUNTED_TOGETHER > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_fact_is_taken_for_another() {
        use StatusFact::{Silent, WouldRefuse};
        for index in 0..MOST + 2 {
            for (fact, other) in [(Silent, WouldRefuse), (WouldRefuse, Silent)] {
                let mut facts = VerdictFacts::default();
                facts.count_to(u32::MAX as usize);
                facts.count_to(3);
                facts.note(fact, index);
                let noted = (0..64).filter(|at| facts.has(fact, *at));
                assert!(noted.eq((index < MOST).then_some(index)));
                assert!(facts.all(fact).eq((index < MOST).then_some(index)));
                assert!(facts.all(other).next().is_none() && !facts.is_counted_together());
                assert_eq!(facts.count(), u32::MAX as usize);
                facts.set_counted_together();
                assert!(facts.is_counted_together() && facts.all(other).next().is_none());
            }
        }
    }
}
