//! Answers of a feed, written into the table a few keys at a time.

use std::collections::{HashMap, HashSet};

use tokio::task::yield_now;

use super::super::feed::{FeedChange, FeedPage, FeedSecret};
use super::super::memory::{CopiedSecrets, MemoryStore};
use crate::key::{Account, AccountId, KeyDigest, KeyId, KeyRecord};

/// The most pages of a store for which room is made in advance.
const MOST_PAGES: usize = 100_000;
/// How many keys are written before other tasks of the runtime run.
const BETWEEN_YIELDS: usize = 128;

/// The fewest secrets of a page from which the number of all is estimated.
const FEWEST_ESTIMATED: usize = 100;

/// Makes room for all secrets of a store, judging by the first page.
pub(super) fn make_room(keys: &MemoryStore, first: &FeedPage) {
    let Some(last) = first.secrets.last() else { return };
    let count = first.secrets.len();
    if first.is_last {
        keys.reserve(count);
    } else if count >= FEWEST_ESTIMATED {
        // Digests are as good as random, so the page covers that part of all digests that it covers of the secrets.
        let covered = last.digest.prefix().max(1);
        let whole = u128::from(u64::MAX) * count as u128 / u128::from(covered);
        let whole = usize::try_from(whole).unwrap_or(count).min(count.saturating_mul(MOST_PAGES));
        keys.reserve(whole + whole / 8);
    }
}

/// Adds the secrets of a page.
pub(super) async fn add_page(keys: &MemoryStore, secrets: Vec<FeedSecret>) {
    let mut secrets = secrets.into_iter().map(|secret| record_of(secret, None)).peekable();
    while secrets.peek().is_some() {
        keys.add_secrets(secrets.by_ref().take(BETWEEN_YIELDS));
        yield_now().await;
    }
}

/// Changes of one or more answers, which are applied together.
///
/// An answer that is not the last one has the state of its own instant. A key from one answer and its account from
/// another can make a record that never was. So all answers are collected up to the last one. Every state is then the
/// one at the last answer, because what was changed in between is named again.
#[derive(Default)]
pub(super) struct PendingChanges {
    /// The secrets of each changed key. A key without secrets was deleted.
    keys: HashMap<KeyId, CopiedSecrets>,
    accounts: HashMap<AccountId, PendingAccount>,
}

#[derive(Default)]
struct PendingAccount {
    /// Whether it was deleted, so that its keys are gone, except the changed ones.
    was_deleted: bool,
    state: Option<Account>,
}

impl PendingChanges {
    /// Adds an answer that is later than all before.
    pub(super) fn add(&mut self, changes: Vec<FeedChange>) {
        let (mut keys, mut states) = (Vec::new(), Vec::new());
        for change in changes {
            match change {
                FeedChange::Key { id, secrets } => {
                    let secrets = secrets.into_iter().map(|secret| record_of(secret, Some(&id)));
                    let secrets = secrets.collect();
                    keys.push((id, secrets));
                }
                FeedChange::Account { id, account: None } => self.delete_account(id),
                FeedChange::Account { account: Some(account), .. } => states.push(account),
            }
        }
        for account in states {
            let id = account.id().clone();
            self.accounts.entry(id).or_default().state = Some(account);
        }
        self.keys.extend(keys);
    }

    /// Removes the keys of an account that earlier answers had.
    fn delete_account(&mut self, id: AccountId) {
        for secrets in self.keys.values_mut() {
            if secrets.iter().any(|(_, record)| *record.account().id() == id) {
                secrets.clear();
            }
        }
        self.accounts.insert(id, PendingAccount { was_deleted: true, state: None });
    }

    /// Applies the changes. At no step a record is under a state of its account that it never had.
    pub(super) async fn apply(&mut self, keys: &MemoryStore) {
        let Self { keys: changed, accounts } = std::mem::take(self);
        let named: HashSet<KeyId> =
            if accounts.is_empty() { HashSet::new() } else { changed.keys().cloned().collect() };
        for (id, PendingAccount { was_deleted, state }) in accounts {
            if was_deleted {
                keys.remove_keys_of(&id, &named);
            }
            if let Some(account) = state {
                keys.set_account(account, &named);
            }
            yield_now().await;
        }
        // A secret that moved to another key is found all the time: the other key takes it before this one is removed.
        let (removed, set): (Vec<_>, Vec<_>) =
            changed.into_iter().partition(|(_, secrets)| secrets.is_empty());
        let mut changed = set.into_iter().chain(removed).peekable();
        while changed.peek().is_some() {
            keys.set_keys(changed.by_ref().take(BETWEEN_YIELDS));
            yield_now().await;
        }
    }
}

/// Returns the record of a secret, or one that stands for an unreadable one.
fn record_of(secret: FeedSecret, id: Option<&KeyId>) -> (KeyDigest, KeyRecord) {
    let FeedSecret { digest, record } = secret;
    let broken = match record {
        Ok(record) if id.is_none_or(|id| id == record.id()) => return (digest, record),
        Ok(record) => record.id().to_string(),
        Err(broken) => broken.id,
    };
    // An id that is not valid is replaced by one that no other secret has.
    let named = id.cloned().or_else(|| KeyId::new(broken).ok());
    let id = named.or_else(|| KeyId::new(digest.to_hex()).ok());
    (digest, KeyRecord::unreadable(id))
}
