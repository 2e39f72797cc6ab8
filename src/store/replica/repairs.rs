//! Accounts whose keys are read again, because a key could not be read and its account was saved since.
//!
//! A change of an account names the account, and not its keys. The replica cannot put a new account under a record that
//! it could not read. So it reads the keys of the account again, page by page, and follows the changes in between.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use tokio::time::Instant;

use super::super::MemoryStore;
use crate::key::{AccountId, KeyDigest, KeyId};

/// After a repair, at least this many times as long passes until the next one. So a feed without pages of one account,
/// which reads all keys instead, is asked for a tenth of the time at most.
const REST: u32 = 9;

/// The unreadable keys by their accounts, and the accounts that are to be read again.
#[derive(Debug, Default)]
pub(super) struct Repairs {
    /// Some may have been changed or deleted since.
    unreadable: HashMap<AccountId, HashSet<KeyId>>,
    queue: BTreeSet<AccountId>,
    under_way: Option<Repair>,
    /// Nothing is read before this instant.
    next: Option<Instant>,
}

/// An account whose keys are read again.
#[derive(Debug)]
struct Repair {
    account: AccountId,
    after: Option<KeyDigest>,
    took: Duration,
}

impl Repairs {
    /// Records keys that could not be read.
    pub(super) fn note_unreadable(&mut self, keys: impl IntoIterator<Item = (KeyId, AccountId)>) {
        for (key, account) in keys {
            self.unreadable.entry(account).or_default().insert(key);
        }
    }

    /// Called when an account can be read, and perhaps could not be read before.
    pub(super) fn note_readable(&mut self, account: &AccountId, keys: &MemoryStore) {
        let Some(unreadable) = self.unreadable.get_mut(account) else { return };
        unreadable.retain(|key| keys.is_unreadable(key));
        if unreadable.is_empty() {
            self.unreadable.remove(account);
        } else {
            self.queue.insert(account.clone());
        }
    }

    /// Called when an account was deleted. Returns its keys that could not be read, and may be there still.
    pub(super) fn take_deleted(&mut self, account: &AccountId) -> HashSet<KeyId> {
        self.unreadable.remove(account).unwrap_or_default()
    }

    /// Returns the account to read now, and the secret behind which its page begins.
    pub(super) fn due(&mut self, now: Instant) -> Option<(AccountId, Option<KeyDigest>)> {
        if self.next.is_some_and(|next| now < next) {
            return None;
        }
        if self.under_way.is_none() {
            let account = self.queue.pop_first()?;
            self.under_way = Some(Repair { account, after: None, took: Duration::ZERO });
        }
        self.under_way.as_ref().map(|repair| (repair.account.clone(), repair.after))
    }

    /// Called when a page was read. `last` is its last secret, if there are more pages.
    pub(super) fn read(&mut self, asked: Instant, last: Option<KeyDigest>) {
        let Some(repair) = &mut self.under_way else { return };
        let now = Instant::now();
        repair.took += now.saturating_duration_since(asked);
        if last.is_some() {
            repair.after = last;
        } else {
            self.next = now.checked_add(repair.took.saturating_mul(REST));
            self.under_way = None;
        }
    }

    /// Called when a page could not be read. It is asked for again after this pause, or a longer one.
    pub(super) fn fail(&mut self, asked: Instant, pause: Duration) {
        let now = Instant::now();
        let rest = now.saturating_duration_since(asked).saturating_mul(REST);
        self.next = now.checked_add(rest.max(pause));
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;
    use crate::key::KeyRecord;

    const SECOND: Duration = Duration::from_secs(1);

    fn account(name: &str) -> AccountId {
        AccountId::new(name).unwrap()
    }

    /// Returns a store with an unreadable key.
    fn store() -> MemoryStore {
        let store = MemoryStore::new();
        let record = KeyRecord::unreadable(KeyId::new("key").unwrap());
        store.add_secrets(std::iter::once((KeyDigest::from_bytes([1; 32]), record)));
        store
    }

    fn unreadable(id: &str, name: &str) -> [(KeyId, AccountId); 1] {
        [(KeyId::new(id).unwrap(), account(name))]
    }

    fn due(repairs: &mut Repairs) -> Option<(String, Option<KeyDigest>)> {
        repairs.due(Instant::now()).map(|(account, after)| (account.to_string(), after))
    }

    #[tokio::test(start_paused = true)]
    async fn only_accounts_of_unreadable_keys_are_read_again_and_each_once() {
        let (mut repairs, store) = (Repairs::default(), store());
        repairs.note_readable(&account("acme"), &store);
        assert_eq!(due(&mut repairs), None);
        for (id, name) in [("key", "acme"), ("gone", "globex"), ("key", "initech")] {
            repairs.note_unreadable(unreadable(id, name));
        }
        assert_eq!(due(&mut repairs), None, "no account was saved");
        for name in ["acme", "globex", "acme"] {
            repairs.note_readable(&account(name), &store);
        }
        assert_eq!(repairs.take_deleted(&account("initech")).len(), 1);
        repairs.note_readable(&account("initech"), &store);
        let digest = KeyDigest::from_bytes([7; 32]);
        assert_eq!(due(&mut repairs), Some(("acme".to_owned(), None)));
        repairs.read(Instant::now(), Some(digest));
        assert_eq!(due(&mut repairs), Some(("acme".to_owned(), Some(digest))));
        repairs.read(Instant::now(), None);
        assert_eq!(due(&mut repairs), None);
    }

    #[tokio::test(start_paused = true)]
    async fn reading_takes_a_tenth_of_the_time_at_most() {
        let (mut repairs, store) = (Repairs::default(), store());
        for name in ["acme", "globex"] {
            repairs.note_unreadable(unreadable("key", name));
            repairs.note_readable(&account(name), &store);
        }
        assert!(due(&mut repairs).is_some());
        for last in [Some(KeyDigest::from_bytes([7; 32])), None] {
            let asked = Instant::now();
            tokio::time::advance(SECOND).await;
            assert!(due(&mut repairs).is_some());
            repairs.read(asked, last);
        }
        tokio::time::advance(18 * SECOND - SECOND / 10).await;
        assert_eq!(due(&mut repairs), None);
        tokio::time::advance(SECOND / 10).await;
        assert_eq!(due(&mut repairs), Some(("globex".to_owned(), None)));
        repairs.fail(Instant::now(), 3 * SECOND);
        assert_eq!(due(&mut repairs), None);
        tokio::time::advance(3 * SECOND).await;
        assert_eq!(due(&mut repairs), Some(("globex".to_owned(), None)));
    }
}
