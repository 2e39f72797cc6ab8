//! The occasions that a process has recorded lately.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock::Timestamp;

/// The places for occasions, 16 bytes each. One that takes the place of another costs a question to the store.
const PLACES: usize = 1 << 16;

/// The occasions that a process has recorded lately, without locks. It may forget one, and then the store is asked
/// again. It never knows one that was not recorded, except for a collision of 64-bit hashes.
pub(super) struct RecentOccasions {
    places: Box<[OccasionPlace]>,
    hasher: RandomState,
}

#[derive(Default)]
struct OccasionPlace {
    occasion: AtomicU64,
    until: AtomicU64,
}

impl RecentOccasions {
    pub(super) fn new() -> Self {
        let places = (0..PLACES).map(|_| OccasionPlace::default()).collect();
        Self { places, hasher: RandomState::new() }
    }

    /// Calls `record` unless the occasion was recorded and has not ended. Notes it if `record` returns true.
    pub(super) fn once(
        &self,
        occasion: impl Hash,
        now: Timestamp,
        until: Timestamp,
        record: impl FnOnce() -> bool,
    ) {
        let hash = self.hasher.hash_one(occasion) | 1;
        let index = usize::try_from(hash >> 8).unwrap_or_default() % PLACES;
        let Some(place) = self.places.get(index) else { return };
        let known = place.occasion.load(Ordering::Relaxed) == hash;
        if known && now.unix_nanoseconds() < place.until.load(Ordering::Relaxed) {
            return;
        }
        if record() {
            // Another thread may write both at the same time. The store then gets an occurrence twice.
            place.until.store(until.unix_nanoseconds(), Ordering::Relaxed);
            place.occasion.store(hash, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_occasion_is_recorded_once_until_it_ends() {
        let recent = RecentOccasions::new();
        let at = Timestamp::from_unix_seconds;
        let recorded = |name: &str, now, taken| {
            let mut called = false;
            recent.once(name, at(now), at(now + 10), || {
                called = true;
                taken
            });
            called
        };
        assert!(recorded("a", 100, false), "the channel was full");
        assert!(recorded("a", 100, true));
        assert!(!recorded("a", 109, true) && recorded("b", 109, true));
        assert!(recorded("a", 110, true), "it had ended");
    }
}
