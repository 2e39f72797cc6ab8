//! A plain copy of a store, kept by its feed.

use std::collections::BTreeMap;
use std::sync::Arc;

use tower_api_key::key::{KeyDigest, KeyRecord};
use tower_api_key::store::{
    BrokenRow, FeedAnswer, FeedChange, FeedPosition, FeedSecret, KeyFeed, KeyFilter, KeyManager,
};
use tower_api_key_sqlx::SqlStore;

pub(super) type Secrets = BTreeMap<[u8; 32], Result<KeyRecord, BrokenRow>>;

/// The store as a feed, which has methods of the same names as a manager.
/// All secrets of a store, and the position up to which they are known.
pub(super) struct StoreCopy {
    pub(super) position: FeedPosition,
    /// The latest position that an answer has named.
    seen: FeedPosition,
    pub(super) secrets: Secrets,
    ids: BTreeMap<[u8; 32], String>,
    /// The secrets that a key has, and some that it had.
    of_key: BTreeMap<String, Vec<[u8; 32]>>,
}

impl StoreCopy {
    /// Copies the whole store; `None` if it was exchanged meanwhile.
    pub(super) async fn of(store: &SqlStore) -> Option<Self> {
        let position = store.position().await.unwrap();
        let mut copy = Self {
            position,
            seen: position,
            secrets: BTreeMap::new(),
            ids: BTreeMap::new(),
            of_key: BTreeMap::new(),
        };
        let mut after: Option<KeyDigest> = None;
        loop {
            let FeedAnswer::Same(page) = store.keys_after(copy.seen, after).await.unwrap() else {
                return None;
            };
            assert!(page.latest.sequence >= position.sequence);
            assert!(page.secrets.is_sorted_by_key(|secret| *secret.digest.as_bytes()));
            copy.seen = page.latest;
            after = page.secrets.last().map(|secret| secret.digest);
            for secret in page.secrets {
                copy.insert(secret);
            }
            if page.is_last {
                return Some(copy);
            }
        }
    }

    fn insert(&mut self, secret: FeedSecret) {
        let id = match &secret.record {
            Ok(record) => record.id().to_string(),
            Err(broken) => broken.id.clone(),
        };
        self.of_key.entry(id.clone()).or_default().push(*secret.digest.as_bytes());
        self.ids.insert(*secret.digest.as_bytes(), id);
        self.secrets.insert(*secret.digest.as_bytes(), secret.record);
    }

    /// Reads all changes since the last time; false if the copy has to begin anew.
    pub(super) async fn follow(&mut self, store: &SqlStore) -> bool {
        loop {
            let FeedAnswer::Same(answer) =
                store.changes_after(self.position, self.seen).await.unwrap()
            else {
                return false;
            };
            assert!(answer.behind.is_zero());
            assert!(answer.position.sequence >= self.position.sequence);
            assert!(answer.latest.sequence >= answer.position.sequence);
            assert!(!answer.changes.is_empty() || answer.position == self.position);
            let (mut gone, mut saved, mut keys) = (Vec::new(), Vec::new(), Vec::new());
            for change in answer.changes {
                match change {
                    FeedChange::Account { id, account: None } => gone.push(id),
                    FeedChange::Account { account: Some(account), .. } => {
                        saved.push(Arc::new(account));
                    }
                    FeedChange::Key { id, secrets } => keys.push((id, secrets)),
                    other => panic!("{other:?}"),
                }
            }
            let drop = |copy: &mut Self, digest: [u8; 32]| {
                copy.secrets.remove(&digest);
                copy.ids.remove(&digest);
            };
            let of_account = |copy: &Self, account: &str| -> Vec<[u8; 32]> {
                let mut secrets = copy.secrets.clone();
                secrets.retain(|_, record| {
                    record.as_ref().is_ok_and(|record| *record.account().id() == *account)
                });
                secrets.into_keys().collect()
            };
            for id in gone {
                for digest in of_account(self, id.as_str()) {
                    drop(self, digest);
                }
            }
            for account in saved {
                for digest in of_account(self, account.id().as_str()) {
                    let record = self.secrets[&digest].clone().unwrap();
                    let record = record.with_account(Arc::clone(&account)).unwrap();
                    self.secrets.insert(digest, Ok(record));
                }
            }
            for (id, _) in &keys {
                for digest in self.of_key.remove(id.as_str()).unwrap_or_default() {
                    if self.ids.get(&digest).is_some_and(|other| *other == *id.as_str()) {
                        drop(self, digest);
                    }
                }
            }
            for secret in keys.into_iter().flat_map(|(_, secrets)| secrets) {
                self.insert(secret);
            }
            self.position = answer.position;
            self.seen = answer.latest;
            if !answer.more {
                return true;
            }
        }
    }
}

/// Returns all secrets of a store as its lists show them, each with the record that a lookup finds.
pub(super) async fn all(store: &SqlStore) -> Secrets {
    let mut all = Secrets::new();
    for entry in store.list(&KeyFilter::default(), None, usize::MAX).await.unwrap() {
        for secret in entry.secrets {
            let ends = [entry.record.expires(), secret.expires].into_iter().flatten().min();
            let record = match ends {
                Some(ends) => entry.record.edit().as_stored().expires(ends).build().unwrap(),
                None => entry.record.clone(),
            };
            all.insert(*secret.digest.as_bytes(), Ok(record));
        }
    }
    all
}
