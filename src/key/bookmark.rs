//! A hint in each key record to where a limiter keeps the account's counters.

use std::sync::atomic::Ordering;

use super::counter_place::CounterPlace;
use crate::sync::AtomicU32;

/// Remembers the index at which a limiter last found an account's counters.
///
/// The key's next request looks there first. That saves a hash of the account's id, and two cache
/// misses if there are many accounts.
///
/// The index proves nothing: the limiter checks whose counters it finds there. Comparisons ignore the
/// index, and a clone copies it.
#[derive(Debug, Default)]
pub(crate) struct Bookmark(AtomicU32);

impl Bookmark {
    /// Returns the index noted last; 0 if no index was noted.
    pub(crate) fn place(&self) -> u32 {
        // The hint publishes no other memory, so no order is needed.
        self.0.load(Ordering::Relaxed)
    }

    /// Returns the place of the counters that the noted index stands for.
    pub(crate) fn counters(&self) -> Option<CounterPlace> {
        CounterPlace::of_bookmark(self.place())
    }

    /// Notes an index, which must not be 0.
    pub(crate) fn note(&self, place: u32) {
        self.0.store(place, Ordering::Relaxed);
    }
}

impl Clone for Bookmark {
    fn clone(&self) -> Self {
        Self(AtomicU32::new(self.place()))
    }
}

impl PartialEq for Bookmark {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Bookmark {}
