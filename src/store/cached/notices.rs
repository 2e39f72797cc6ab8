//! What was said of changes: a number for each notice, and where the latest about something is written down.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::Ordering;

use super::super::invalidation::Invalidation;
use crate::key::AccountId;
use crate::sync::{AtomicU64, size};

/// Places for accounts: as many as records may be kept, within these bounds. Accounts that share a place
/// are asked for again together, which costs a lookup and serves nothing stale.
const FEWEST_PLACES: usize = size(4_096, 4);
const MOST_PLACES: usize = size(1 << 20, 4);

/// Numbers the notices of changes. Who asks the store remembers the number of the latest notice before; the
/// answer is as it was as long as no later one is about it. All memory is taken at the start, and hearing a
/// notice takes the same time however much is kept.
pub(super) struct Notices {
    /// The latest notice that is written down here. Those about a secret are not: they take what they
    /// are about out of the cache.
    latest: AtomicU64,
    /// The latest about everything.
    everything: AtomicU64,
    /// The latest that says that secrets were added.
    added: AtomicU64,
    /// The latest about an account, in the place of its hash.
    accounts: Box<[AtomicU64]>,
    /// With a seed that nobody knows, so that nobody picks accounts that share a place.
    hasher: RandomState,
}

impl Notices {
    /// Makes places for the accounts of so many records.
    pub(super) fn new(records: usize) -> Self {
        let places = records.clamp(FEWEST_PLACES, MOST_PLACES).next_power_of_two();
        Self {
            latest: AtomicU64::new(0),
            everything: AtomicU64::new(0),
            added: AtomicU64::new(0),
            accounts: (0..places).map(|_| AtomicU64::new(0)).collect(),
            hasher: RandomState::new(),
        }
    }

    /// Returns the number of the latest notice, to be remembered before the store is asked.
    pub(super) fn latest(&self) -> u64 {
        self.latest.load(Ordering::Acquire)
    }

    /// Returns where notices about an account are written down.
    pub(super) fn place_of(&self, account: &AccountId) -> usize {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a part of the hash is as good as all of it"
        )]
        let hash = self.hasher.hash_one(account.as_str()) as usize;
        // The number of places is a power of two.
        hash & (self.accounts.len() - 1)
    }

    /// Writes a notice down. Called by one at a time.
    pub(super) fn hear(&self, what: &Invalidation) {
        let number = self.latest.fetch_add(1, Ordering::AcqRel) + 1;
        match what {
            Invalidation::Secret(_) => {}
            Invalidation::Account(account) => {
                if let Some(latest) = self.accounts.get(self.place_of(account)) {
                    latest.store(number, Ordering::Release);
                }
            }
            Invalidation::Added => self.added.store(number, Ordering::Release),
            Invalidation::Everything => {
                self.everything.store(number, Ordering::Release);
                self.added.store(number, Ordering::Release);
            }
        }
    }

    /// Returns true if an account was named after a notice.
    pub(super) fn names_account_after(&self, number: u64, place: usize) -> bool {
        self.accounts.get(place).is_none_or(|latest| latest.load(Ordering::Acquire) > number)
    }

    /// Returns true if anything may have changed after a notice.
    pub(super) fn names_everything_after(&self, number: u64) -> bool {
        self.everything.load(Ordering::Acquire) > number
    }

    /// Returns true if a secret that was unknown may be known after a notice.
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
        let (acme, other) = (notices.place_of(&account("acme")), (0..).map(|n| n.to_string()));
        let other = other.map(|id| notices.place_of(&account(&id))).find(|place| *place != acme);
        let other = other.unwrap();
        let told = |begun| {
            let (acme, other) = (
                notices.names_account_after(begun, acme),
                notices.names_account_after(begun, other),
            );
            let (all, unknown) =
                (notices.names_everything_after(begun), notices.names_unknown_after(begun));
            [acme, other, all, unknown]
        };
        let begun = notices.latest();
        notices.hear(&Invalidation::Secret(KeyDigest::from_bytes([1; 32])));
        assert_eq!(told(begun), [false; 4]);
        for (what, expected) in [
            (Invalidation::Account(account("acme")), [true, false, false, false]),
            (Invalidation::Added, [false, false, false, true]),
            (Invalidation::Everything, [false, false, true, true]),
        ] {
            let begun = notices.latest();
            notices.hear(&what);
            assert_eq!(told(begun), expected, "{what:?}");
            assert_eq!(told(notices.latest()), [false; 4], "asked after {what:?}");
        }
    }

    #[test]
    fn any_capacity_has_places_within_bounds() {
        for (records, places) in
            [(0, 4_096), (4_097, 8_192), (100_000, 131_072), (usize::MAX, 1 << 20)]
        {
            let notices = Notices::new(records);
            assert_eq!(notices.accounts.len(), places);
            assert!(notices.place_of(&account("acme")) < places);
        }
        assert!(
            Notices::new(0).names_account_after(0, usize::MAX),
            "what has no place is not kept"
        );
    }
}
