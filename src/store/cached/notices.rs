//! Numbered notices of changes, and the number of the latest notice of each subject.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::Ordering;

use super::super::invalidation::Invalidation;
use super::proofs::Proofs;
use crate::key::AccountId;
use crate::sync::{AtomicU64, size};

/// Slots for accounts: as many as records may be cached, within these bounds. A notice concerns all accounts
/// of one slot. That costs extra lookups, and never leaves a stale record.
const FEWEST_SLOTS: usize = size(4_096, 4);
const MOST_SLOTS: usize = size(1 << 20, 4);

/// Numbers the notices of changes. A lookup remembers the number of the latest notice before it asks the
/// store. Its answer is current while no later notice is about it. All memory is allocated at the start, and
/// recording a notice takes constant time.
pub(super) struct Notices {
    /// The number of the latest notice. A notice of a secret has no field of its own, because it removes the
    /// secret from the cache.
    latest: AtomicU64,
    /// The latest notice about everything.
    everything: AtomicU64,
    /// The latest notice after which an unknown secret may be known.
    added: AtomicU64,
    /// The latest notice about an account, in the slot of its hash.
    accounts: Box<[AtomicU64]>,
    /// Randomly seeded, so that a client cannot choose accounts that share a slot.
    hasher: RandomState,
    /// Up to when all notices have come.
    pub(super) proofs: Proofs,
}

impl Notices {
    /// Allocates slots for the accounts of this many records.
    pub(super) fn new(records: usize) -> Self {
        let slots = records.clamp(FEWEST_SLOTS, MOST_SLOTS).next_power_of_two();
        Self {
            latest: AtomicU64::new(0),
            everything: AtomicU64::new(0),
            added: AtomicU64::new(0),
            accounts: (0..slots).map(|_| AtomicU64::new(0)).collect(),
            hasher: RandomState::new(),
            proofs: Proofs::new(),
        }
    }

    /// Returns the number of the latest notice. A lookup calls this before it asks the store.
    pub(super) fn latest(&self) -> u64 {
        self.latest.load(Ordering::Acquire)
    }

    /// Returns the slot of an account.
    pub(super) fn slot_of(&self, account: &AccountId) -> usize {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a part of the hash is as good as all of it"
        )]
        let hash = self.hasher.hash_one(account.as_str()) as usize;
        // The number of slots is a power of two.
        hash & (self.accounts.len() - 1)
    }

    /// Returns a random number from 0 to 1.
    pub(super) fn random_share(&self) -> f64 {
        // Each new state of the standard library has other keys.
        let random = RandomState::new().hash_one(self.latest());
        f64::from((random >> 32) as u32) / f64::from(u32::MAX)
    }

    /// Records a notice. Callers hold the lock of the lookups.
    pub(super) fn record(&self, what: &Invalidation) {
        if matches!(what, Invalidation::UpToDate(_)) {
            return; // Nothing changed.
        }
        let number = self.latest.fetch_add(1, Ordering::AcqRel) + 1;
        match what {
            Invalidation::Secret(_) | Invalidation::UpToDate(_) => {}
            Invalidation::Account(account) => {
                if let Some(latest) = self.accounts.get(self.slot_of(account)) {
                    latest.store(number, Ordering::Release);
                }
            }
            Invalidation::Added => self.added.store(number, Ordering::Release),
            Invalidation::Everything => {
                self.everything.store(number, Ordering::Release);
                self.added.store(number, Ordering::Release);
                self.proofs.end_run(number);
            }
        }
    }

    /// Returns true if an account of this slot was named after the notice with this number.
    pub(super) fn names_account_after(&self, number: u64, slot: usize) -> bool {
        self.accounts.get(slot).is_none_or(|latest| latest.load(Ordering::Acquire) > number)
    }

    /// Returns true if a notice about everything came after the notice with this number.
    pub(super) fn names_everything_after(&self, number: u64) -> bool {
        self.everything.load(Ordering::Acquire) > number
    }

    /// Returns true if an unknown secret may have been added after the notice with this number.
    pub(super) fn names_unknown_after(&self, number: u64) -> bool {
        self.added.load(Ordering::Acquire) > number
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;
    use crate::key::KeyDigest;

    fn account(id: &str) -> AccountId {
        AccountId::new(id).unwrap()
    }

    #[test]
    fn a_notice_is_about_what_it_names_and_what_was_asked_before() {
        let notices = Notices::new(0);
        let (acme, other) = (notices.slot_of(&account("acme")), (0..).map(|n| n.to_string()));
        let other = other.map(|id| notices.slot_of(&account(&id))).find(|slot| *slot != acme);
        let other = other.unwrap();
        let named_after = |begun| {
            let (acme, other) = (
                notices.names_account_after(begun, acme),
                notices.names_account_after(begun, other),
            );
            let (all, unknown) =
                (notices.names_everything_after(begun), notices.names_unknown_after(begun));
            [acme, other, all, unknown]
        };
        let begun = notices.latest();
        notices.record(&Invalidation::Secret(KeyDigest::from_bytes([1; 32])));
        assert_eq!(named_after(begun), [false; 4]);
        for (what, expected) in [
            (Invalidation::Account(account("acme")), [true, false, false, false]),
            (Invalidation::Added, [false, false, false, true]),
            (Invalidation::Everything, [false, false, true, true]),
        ] {
            let begun = notices.latest();
            notices.record(&what);
            assert_eq!(named_after(begun), expected, "{what:?}");
            assert_eq!(named_after(notices.latest()), [false; 4], "asked after {what:?}");
        }
    }

    #[test]
    fn any_capacity_has_slots_within_bounds() {
        for (records, slots) in
            [(0, 4_096), (4_097, 8_192), (100_000, 131_072), (usize::MAX, 1 << 20)]
        {
            let notices = Notices::new(records);
            assert_eq!(notices.accounts.len(), slots);
            assert!(notices.slot_of(&account("acme")) < slots);
        }
        assert!(
            Notices::new(0).names_account_after(0, usize::MAX),
            "an account without a slot counts as named"
        );
    }
}
