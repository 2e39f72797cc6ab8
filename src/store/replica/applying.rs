//! Answers of a feed, written into the table a few keys at a time.

use std::collections::HashSet;

use tokio::task::yield_now;

use super::super::MemoryStore;
use super::super::feed::{FeedChange, FeedSecret};
use crate::key::{KeyDigest, KeyId, KeyRecord};

/// How many keys are written before other tasks of the runtime run.
const BETWEEN_YIELDS: usize = 128;

/// Adds the secrets of a page.
pub(super) async fn add_page(keys: &MemoryStore, secrets: Vec<FeedSecret>) {
    let mut secrets = secrets.into_iter().map(|secret| record_of(secret, None)).peekable();
    while secrets.peek().is_some() {
        keys.add_secrets(secrets.by_ref().take(BETWEEN_YIELDS));
        yield_now().await;
    }
}

/// Applies changes. At no step a record is under a state of its account that it never had.
pub(super) async fn apply(keys: &MemoryStore, changes: Vec<FeedChange>) {
    let (mut set, mut removed, mut accounts) = (Vec::new(), Vec::new(), Vec::new());
    for change in changes {
        match change {
            FeedChange::Key { id, secrets } if secrets.is_empty() => removed.push((id, Vec::new())),
            FeedChange::Key { id, secrets } => {
                let secrets = secrets.into_iter().map(|secret| record_of(secret, Some(&id)));
                let secrets: Vec<_> = secrets.collect();
                set.push((id, secrets));
            }
            FeedChange::Account { id, account } => accounts.push((id, account)),
        }
    }
    let named: HashSet<KeyId> = if accounts.is_empty() {
        HashSet::new()
    } else {
        set.iter().chain(&removed).map(|(id, _)| id.clone()).collect()
    };
    for (id, _) in accounts.iter().filter(|(_, account)| account.is_none()) {
        keys.remove_keys_of(id, &named);
    }
    for account in accounts.into_iter().filter_map(|(_, account)| account) {
        keys.set_account(account, &named);
        yield_now().await;
    }
    // A secret that moved to another key is found all the time: the other key takes it before this one is removed.
    let mut changed = set.into_iter().chain(removed).peekable();
    while changed.peek().is_some() {
        keys.set_keys(changed.by_ref().take(BETWEEN_YIELDS));
        if changed.peek().is_some() {
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
