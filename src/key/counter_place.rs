//! Where a limiter keeps the counters of an account, as others remember it.

use std::num::NonZeroU32;

/// Where a limiter keeps the counters of an account, as a store remembers it. Only the limiter can read it, and it may be
/// out of date: the counters may have moved, or belong to another limiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CounterPlace(NonZeroU32);

impl CounterPlace {
    /// Returns the place that a bookmark holds as this number; `None` if it holds none.
    pub(crate) fn of_bookmark(number: u32) -> Option<Self> {
        NonZeroU32::new(number).map(Self)
    }

    /// Returns the number by which a bookmark holds the place.
    pub(crate) const fn number(self) -> u32 {
        self.0.get()
    }
}
