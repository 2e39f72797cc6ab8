//! Answers of a feed, written into the table a few keys at a time.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::task::yield_now;

use super::super::feed::{FeedChange, FeedPage, FeedSecret};
use super::super::memory::{CopiedSecrets, MemoryStore};
use super::repairs::Repairs;
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

/// Adds the secrets of a page. Returns the keys that could not be read.
pub(super) async fn add_page(keys: &MemoryStore, secrets: Vec<FeedSecret>) -> UnreadableKeys {
    let unreadable = secrets.iter().filter_map(unreadable_key).collect();
    let mut secrets = secrets.into_iter().map(|secret| record_of(secret, None)).peekable();
    while secrets.peek().is_some() {
        keys.add_secrets(secrets.by_ref().take(BETWEEN_YIELDS));
        yield_now().await;
    }
    unreadable
}

/// Keys that could not be read, with their accounts.
type UnreadableKeys = HashMap<KeyId, AccountId>;

/// Changes of one or more answers, which are applied together.
///
/// An answer that is not the last one has the state of its own instant. A key from one answer and its account from
/// another can make a record that never was. So all answers are collected up to the last one. Every state is then the
/// one at the last answer, because what was changed in between is named again.
///
/// A change of an account names the account, and not its keys. A key that was named before is then under an older state.
/// So the latest state of each account is kept, and counts for all its records.
#[derive(Default)]
pub(super) struct PendingChanges {
    /// The secrets of each changed key. A key without secrets was deleted.
    keys: HashMap<KeyId, CopiedSecrets>,
    accounts: HashMap<AccountId, PendingAccount>,
    /// The changed keys that could not be read.
    unreadable: UnreadableKeys,
    /// Secrets that could not be read before, with their records of the latest answer.
    repaired: CopiedSecrets,
}

#[derive(Default)]
struct PendingAccount {
    /// Whether it was deleted, so that its keys are gone, except the changed ones.
    was_deleted: bool,
    /// Whether a change named the account itself.
    was_saved: bool,
    /// The latest state, by a change of the account itself or by a record of a key. A key that makes an account is the
    /// only change that shows it.
    state: Option<Arc<Account>>,
}

impl PendingChanges {
    /// Adds an answer that is later than all before.
    pub(super) fn add(&mut self, changes: Vec<FeedChange>) {
        let (mut keys, mut states, mut deleted) = (Vec::new(), Vec::new(), HashSet::new());
        let mut unreadable = UnreadableKeys::new();
        for change in changes {
            match change {
                FeedChange::Key { id, secrets } => {
                    let account =
                        secrets.iter().find_map(unreadable_key).map(|(_, account)| account);
                    unreadable.extend(account.map(|account| (id.clone(), account)));
                    let secrets = secrets.into_iter().map(|secret| record_of(secret, Some(&id)));
                    let secrets: CopiedSecrets = secrets.collect();
                    keys.push((id, secrets));
                }
                FeedChange::Account { id, account: None } => {
                    deleted.insert(id);
                }
                FeedChange::Account { account: Some(account), .. } => states.push(account),
            }
        }
        if !deleted.is_empty() {
            self.delete_accounts(deleted);
        }
        for (_, record) in keys.iter().flat_map(|(_, secrets)| secrets) {
            if !record.is_unreadable() {
                self.note_state(record.account(), false);
            }
        }
        for account in states {
            self.note_state(&Arc::new(account), true);
        }
        keys.iter().for_each(|(id, _)| drop(self.unreadable.remove(id)));
        self.unreadable.extend(unreadable);
        self.keys.extend(keys);
    }

    /// Removes the keys of accounts that earlier answers had.
    fn delete_accounts(&mut self, deleted: HashSet<AccountId>) {
        for (id, secrets) in &mut self.keys {
            let is_gone = |record: &KeyRecord| deleted.contains(record.account().id());
            let account = self.unreadable.get(id);
            if secrets.iter().any(|(_, record)| is_gone(record))
                || account.is_some_and(|account| deleted.contains(account))
            {
                secrets.clear();
            }
        }
        let gone = |id| (id, PendingAccount { was_deleted: true, ..PendingAccount::default() });
        self.accounts.extend(deleted.into_iter().map(gone));
    }

    fn note_state(&mut self, account: &Arc<Account>, was_saved: bool) {
        if let Some(pending) = self.accounts.get_mut(account.id()) {
            pending.state = Some(Arc::clone(account));
            pending.was_saved |= was_saved;
        } else {
            let state = Some(Arc::clone(account));
            let pending = PendingAccount { was_deleted: false, was_saved, state };
            self.accounts.insert(account.id().clone(), pending);
        }
    }

    /// Adds a page of secrets that may be readable again. Only those count that could not be read before: the changes
    /// have all others. Returns the keys that cannot be read even now.
    pub(super) async fn repair(
        &mut self,
        keys: &MemoryStore,
        secrets: Vec<FeedSecret>,
    ) -> UnreadableKeys {
        let mut unreadable = UnreadableKeys::new();
        for (number, secret) in secrets.into_iter().enumerate() {
            if number % BETWEEN_YIELDS == 0 {
                yield_now().await;
            }
            if keys.find_now(&secret.digest).is_some_and(|known| known.is_unreadable()) {
                unreadable.extend(unreadable_key(&secret));
                self.repaired.extend(secret.record.ok().map(|record| (secret.digest, record)));
            }
        }
        unreadable
    }

    /// Applies the changes. At no step a record is under a state of its account that it never had.
    pub(super) async fn apply(&mut self, keys: &MemoryStore, repairs: &mut Repairs) {
        let Self { keys: changed, accounts, unreadable, repaired } = std::mem::take(self);
        // In this order: a key of an account that was deleted and made anew may be unreadable, too.
        let deleted = accounts.iter().filter(|(_, pending)| pending.was_deleted);
        let unseen: Vec<KeyId> = deleted.flat_map(|(id, _)| repairs.take_deleted(id)).collect();
        repairs.note_unreadable(unreadable);
        let named: HashSet<KeyId> = if accounts.is_empty() && repaired.is_empty() {
            HashSet::new()
        } else {
            changed.keys().cloned().collect()
        };
        let mut readable = Vec::new();
        for (number, (id, pending)) in accounts.iter().enumerate() {
            let PendingAccount { was_deleted, was_saved, state } = pending;
            if *was_deleted {
                keys.remove_keys_of(id, &named);
            }
            // Most keys show the state that their account has already.
            let known = keys.find_account_now(id.as_str());
            if state.is_some() && (*was_saved || known.is_none()) {
                readable.push(id);
            }
            let changes =
                state.as_ref().filter(|state| known.is_some_and(|known| known != **state));
            if let Some(state) = changes {
                keys.set_account(Account::clone(state), &named);
            }
            if *was_deleted || changes.is_some() || number % BETWEEN_YIELDS == 0 {
                yield_now().await;
            }
        }
        let gone = unseen.into_iter().filter(|id| !named.contains(id) && keys.is_unreadable(id));
        let gone: Vec<_> = gone.map(|id| (id, CopiedSecrets::new())).collect();
        keys.set_keys(gone.into_iter());
        // A secret that moved to another key is found all the time: the other key takes it before this one is removed.
        let (removed, set): (Vec<_>, Vec<_>) =
            changed.into_iter().partition(|(_, secrets)| secrets.is_empty());
        let set = set.into_iter().map(|(id, secrets)| (id, under_latest(secrets, &accounts)));
        let mut changed = set.chain(removed).peekable();
        while changed.peek().is_some() {
            keys.set_keys(changed.by_ref().take(BETWEEN_YIELDS));
            yield_now().await;
        }
        // What was changed since the page has its state from the changes.
        let is_present = |(_, record): &(KeyDigest, KeyRecord)| {
            let account = accounts.get(record.account().id());
            !named.contains(record.id()) && !account.is_some_and(|account| account.was_deleted)
        };
        let repaired = repaired.into_iter().filter(is_present).collect();
        let mut repaired = under_latest(repaired, &accounts).into_iter().peekable();
        while repaired.peek().is_some() {
            keys.repair_secrets(repaired.by_ref().take(BETWEEN_YIELDS));
            yield_now().await;
        }
        // The table is now as the last answer was.
        readable.into_iter().for_each(|account| repairs.note_readable(account, keys));
    }
}

/// Returns the records under the latest state of their account.
fn under_latest(
    secrets: CopiedSecrets,
    accounts: &HashMap<AccountId, PendingAccount>,
) -> CopiedSecrets {
    let under_latest = |(digest, record): (KeyDigest, KeyRecord)| {
        let pending = accounts.get(record.account().id());
        match pending.and_then(|pending| pending.state.as_ref()) {
            Some(state) => (digest, record.under(Arc::clone(state))),
            None => (digest, record),
        }
    };
    secrets.into_iter().map(under_latest).collect()
}

/// Returns the key of a secret that could not be read, and its account.
fn unreadable_key(secret: &FeedSecret) -> Option<(KeyId, AccountId)> {
    let broken = secret.record.as_ref().err()?;
    Some((stand_in(&broken.id, &secret.digest)?, broken.account.clone()?))
}

/// Returns the id of a key. An id that is not valid is replaced by one that no other secret has.
fn stand_in(id: &str, digest: &KeyDigest) -> Option<KeyId> {
    KeyId::new(id).or_else(|_| KeyId::new(digest.to_hex())).ok()
}

/// Returns the record of a secret, or one that stands for an unreadable one.
fn record_of(secret: FeedSecret, id: Option<&KeyId>) -> (KeyDigest, KeyRecord) {
    let FeedSecret { digest, record } = secret;
    let broken = match record {
        Ok(record) if id.is_none_or(|id| id == record.id()) => return (digest, record),
        Ok(record) => record.id().to_string(),
        Err(broken) => broken.id,
    };
    let id = id.cloned().or_else(|| stand_in(&broken, &digest));
    (digest, KeyRecord::unreadable(id))
}
