//! Where an account's counters lie, remembered beside each of its keys.

use std::sync::atomic::Ordering;

use crate::sync::AtomicU32;

/// Remembers the place at which a limiter last found an account's counters, so that the key's next
/// request goes there at once: that saves a hash of the account's name, and two cache misses if there
/// are many accounts.
///
/// It is a hint and proves nothing; whoever follows it checks whose counters lie there. It takes no
/// part in comparisons, and a clone remembers the same place.
#[derive(Debug, Default)]
pub(crate) struct Bookmark(AtomicU32);

impl Bookmark {
    /// Returns the place last noted, 0 if none was.
    pub(crate) fn place(&self) -> u32 {
        // Nothing is published through a hint, so no order is needed.
        self.0.load(Ordering::Relaxed)
    }

    /// Notes a place, which is not 0.
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
