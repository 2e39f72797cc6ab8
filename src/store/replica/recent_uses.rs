//! Which secrets were used in this minute. The table has a fixed size, whatever the number of keys.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::super::uses::{Uses, is_valid};
use crate::clock::{Clock, Timestamp};
use crate::key::{KeyDigest, KeyRecord};

/// The number of uses that are remembered: 2 MB of memory, once uses are written.
const SLOTS: usize = 1 << 18;
/// A secret has one of this many slots, side by side.
const WAYS: usize = 4;
const SECONDS_PER_MINUTE: u64 = 60;
const TAG_BITS: u64 = !(u32::MAX as u64);

/// Records one use of each secret in each minute. If more secrets than slots are used in a minute, the uses of the
/// others are recorded in a later minute.
#[derive(Default)]
pub(super) struct RecentUses {
    pub(super) uses: Uses,
    /// Half of a slot is the beginning of a digest. The other half is the minute of its last recorded use.
    slots: OnceLock<Box<[AtomicU64]>>,
}

impl RecentUses {
    /// Makes room for uses. Called once uses are written.
    pub(super) fn begin(&self) {
        self.slots.get_or_init(|| (0..SLOTS).map(|_| AtomicU64::new(0)).collect());
    }

    /// Records a use of a valid key, unless one was recorded in this minute.
    pub(super) fn note(&self, digest: &KeyDigest, record: &KeyRecord, clock: &dyn Clock) {
        if let Some(slots) = self.slots.get() {
            let now = clock.now();
            if is_first(slots, digest, now, || is_valid(record, now)) {
                self.uses.send(digest, now);
            }
        }
    }
}

/// Returns true if the secret was not used in this minute and `counts` says that this is a use, and takes a slot for it.
/// Asks `counts` last: most lookups are not the first of their minute.
fn is_first(
    slots: &[AtomicU64],
    digest: &KeyDigest,
    now: Timestamp,
    counts: impl FnOnce() -> bool,
) -> bool {
    let (tag, minute) = (digest.prefix() & TAG_BITS, now.unix_seconds() / SECONDS_PER_MINUTE);
    let minute = minute & !TAG_BITS;
    // The tag chooses the slots. So two secrets with one tag count as one, which is as rare as 1 in 4 billion.
    let ways = (tag >> 32) as usize % (SLOTS / WAYS) * WAYS;
    let ways = slots.get(ways..ways + WAYS).unwrap_or_default();
    let mut free = None;
    for slot in ways {
        let word = slot.load(Ordering::Relaxed);
        if word == tag | minute {
            return false;
        }
        if word & TAG_BITS == tag {
            free = Some((slot, word));
            break;
        }
        if word & !TAG_BITS != minute {
            free = free.or(Some((slot, word)));
        }
    }
    // One of several requests at the same time records the use.
    free.is_some_and(|(slot, word)| {
        let taken = tag | minute;
        counts() && slot.compare_exchange(word, taken, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    })
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn a_use_counts_once_in_a_minute_and_a_full_place_drops_others() {
        let slots: Box<[AtomicU64]> = (0..SLOTS).map(|_| AtomicU64::new(0)).collect();
        let at = |seconds: u64| Timestamp::from_unix_seconds(6_000_000 + seconds);
        let secret = |number: u8| {
            let mut bytes = [0; 32];
            // The first two bytes do not choose the slots, with fewer than 2^16 groups of slots.
            bytes[0] = number;
            KeyDigest::from_bytes(bytes)
        };
        for minute in 0..3 {
            for (number, first) in
                [(1, true), (1, false), (2, true), (3, true), (4, true), (5, false)]
            {
                let is_first = is_first(&slots, &secret(number), at(60 * minute), || true);
                assert_eq!(is_first, first, "{number} in minute {minute}");
            }
            assert!(!is_first(&slots, &secret(4), at(60 * minute + 59), || true));
        }
    }
}
