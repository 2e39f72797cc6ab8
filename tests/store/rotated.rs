//! Keys of several secrets in the memory store, against a model: random changes by managers and by the
//! methods that write no trail, and after each what every secret, id and account leads to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::thread;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::key::{Account, KeyRecord, KeyRecordBuilder};
use tower_api_key::store::{
    KeyFilter, KeyManager, KeyStore, MOST_VALID_SECRETS, ManageError, MemoryStore, NewKey,
};

use crate::support::digest;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_000);

#[derive(Clone, Default)]
struct Key {
    account: String,
    name: String,
    revoked: bool,
    /// Secret and its end, the oldest first.
    secrets: Vec<(String, Timestamp)>,
}

/// What the store should know, by the plainest means.
#[derive(Default)]
struct Model {
    keys: BTreeMap<String, Key>,
    /// Account to its scope.
    accounts: BTreeMap<String, String>,
    kept: BTreeSet<String>,
    lines: usize,
}

impl Model {
    fn owner_of(&self, secret: &str) -> Option<(&String, &Key, Timestamp)> {
        self.keys.iter().find_map(|(id, key)| {
            let (_, end) = key.secrets.iter().find(|(known, _)| known == secret)?;
            Some((id, key, *end))
        })
    }

    fn insert(&mut self, id: &str, secret: &str, account: &str, scope: &str) {
        self.accounts.entry(account.into()).or_insert(scope.into());
        self.keys.retain(|_, key| key.secrets.last().is_none_or(|(newest, _)| newest != secret));
        self.keys.values_mut().for_each(|key| key.secrets.retain(|(known, _)| known != secret));
        let secrets = vec![(secret.to_owned(), Timestamp::MAX)];
        let key = Key { account: account.into(), secrets, ..Key::default() };
        self.keys.insert(id.into(), key);
        self.forget_accounts();
    }

    fn forget_accounts(&mut self) {
        let Self { keys, accounts, kept, .. } = self;
        let has_keys = |account: &String| keys.values().any(|key| key.account == *account);
        accounts.retain(|account, _| kept.contains(account) || has_keys(account));
    }
}

fn account(id: &str, scope: &str) -> Account {
    Account::builder(id).scopes([scope]).build().unwrap()
}

fn record(id: &str, owner: &str, scope: &str) -> KeyRecord {
    KeyRecord::builder(id, Arc::new(account(owner, scope))).build().unwrap()
}

async fn compare(store: &MemoryStore, model: &Model, names: usize) {
    assert_eq!(store.len(), model.keys.len());
    for number in 0..names {
        let secret = format!("secret_{number}");
        let found = store.find(&digest(&secret)).await.unwrap();
        let due = model.owner_of(&secret);
        assert_eq!(found.is_some(), due.is_some(), "{secret}");
        if let (Some(found), Some((id, key, end))) = (found, due) {
            assert_eq!(*found.id(), id[..], "{secret}");
            assert_eq!(found.account().id().as_str(), key.account, "{secret} of {id}");
            assert_eq!(
                (found.is_revoked(), found.name()),
                (key.revoked, &key.name[..]),
                "{secret}"
            );
            assert_eq!(found.expires().unwrap_or(Timestamp::MAX), end, "{secret} of {id}");
            assert!(found.scopes().contains(&model.accounts[&key.account]), "{secret} of {id}");
        }
    }
    let all = store.list(&KeyFilter::default(), None, usize::MAX).await.unwrap();
    assert!(all.iter().map(|entry| entry.record.id().as_str()).eq(model.keys.keys()));
    for entry in all {
        let key = &model.keys[entry.record.id().as_str()];
        let due = key.secrets.iter().rev().map(|(secret, _)| digest(secret));
        assert!(entry.secrets.iter().map(|secret| secret.digest).eq(due), "{}", entry.record.id());
    }
    let accounts = store.list_accounts(None, usize::MAX).await.unwrap();
    assert!(accounts.iter().map(|account| account.id().as_str()).eq(model.accounts.keys()));
    assert_eq!(store.changes(0, usize::MAX).await.unwrap().len(), model.lines.min(10_000));
}

/// Applies one random change to both.
async fn change(store: &MemoryStore, model: &mut Model, random: &mut SmallRng, names: usize) {
    let mut name = |kind: &str| format!("{kind}_{}", random.random_range(0..names));
    let (id, secret, owner, scope) = (name("key"), name("secret"), name("account"), name("scope"));
    let known = model.keys.contains_key(&id);
    let found = |answer: Result<(), ManageError>| match answer {
        Ok(()) => true,
        Err(ManageError::NotFound) => false,
        Err(error) => panic!("{error}"),
    };
    match random.random_range(0..16) {
        0 => {
            store.add_now(digest(&secret), record(&id, &owner, &scope));
            model.insert(&id, &secret, &owner, &scope);
        }
        1..=3 => {
            let key = NewKey::new(digest(&secret), record(&id, &owner, &scope));
            let added = store.add(key, "test").await.is_ok();
            assert_eq!(added, !known && model.owner_of(&secret).is_none());
            if added {
                model.kept.insert(owner.clone());
                model.insert(&id, &secret, &owner, &scope);
                model.lines += 1;
            }
        }
        4..=8 => {
            let until = Timestamp::from_unix_seconds(random.random_range(900..1_500));
            let rotated = store.rotate(&id, digest(&secret), until, "test").await.is_ok();
            let serves = model.keys.get(&id).is_some_and(|key| !key.revoked);
            assert_eq!(rotated, serves && model.owner_of(&secret).is_none());
            if let Some(key) = model.keys.get_mut(&id).filter(|_| rotated) {
                // Of those that have ended the 32 newest are kept.
                let ended = |(_, end): &(String, Timestamp)| *end <= NOW;
                let mut gone =
                    key.secrets.iter().filter(|old| ended(old)).count().saturating_sub(32);
                key.secrets.retain(|old| {
                    let kept = gone == 0 || !ended(old);
                    gone -= usize::from(!kept);
                    kept
                });
                key.secrets.iter_mut().for_each(|(_, end)| *end = (*end).min(until));
                key.secrets.push((secret, Timestamp::MAX));
                model.lines += 1;
            }
        }
        9 | 10 => {
            let name = scope.clone();
            let updated = if random.random() {
                let change = store.update(&id, Box::new(move |key| key.name(name)), "test");
                model.lines += usize::from(known);
                found(change.await.map(drop))
            } else {
                store.update_now(&id, |key| key.name(name)).unwrap()
            };
            assert_eq!(updated, known);
            if let Some(key) = model.keys.get_mut(&id) {
                key.name = scope;
            }
        }
        11 => {
            assert_eq!(found(store.revoke(&id, "test").await), known);
            if let Some(key) = model.keys.get_mut(&id) {
                key.revoked = true;
                model.lines += 1;
            }
        }
        12 => {
            let removed = if random.random() {
                model.lines += usize::from(known);
                found(store.delete(&id, "test").await)
            } else {
                store.delete_now(&id)
            };
            assert_eq!(removed, model.keys.remove(&id).is_some());
            model.forget_accounts();
        }
        13 | 14 => {
            store.save_account(account(&owner, &scope), "test").await.unwrap();
            model.accounts.insert(owner.clone(), scope);
            model.kept.insert(owner);
            model.lines += 1;
        }
        _ => {
            let known = model.accounts.remove(&owner).is_some();
            assert_eq!(found(store.delete_account(&owner, "test").await), known);
            model.keys.retain(|_, key| key.account != *owner);
            model.kept.remove(&owner);
            model.lines += usize::from(known);
        }
    }
}

#[tokio::test]
async fn random_changes_leave_every_secret_as_a_model_says() {
    for seed in 0..12 {
        let mut random = SmallRng::seed_from_u64(seed);
        let store = MemoryStore::with_clock(ManualClock::starting_at(NOW));
        let mut model = Model::default();
        let names = 3 + 8 * usize::try_from(seed).unwrap();
        for step in 0..4_000 {
            change(&store, &mut model, &mut random, names).await;
            if step % 7 == 0 {
                compare(&store, &model, names).await;
            }
        }
        compare(&store, &model, names).await;
    }
}

/// Growing past several sizes, and being cleared of replaced records, keeps earlier secrets.
#[tokio::test]
async fn earlier_secrets_outlive_every_table() {
    let (store, count) = (MemoryStore::new(), 3_000);
    let until = Timestamp::from_unix_seconds(2_000_000_000);
    for number in 0..count {
        let (id, first) = (format!("key_{number}"), digest(&format!("first {number}")));
        store.add(NewKey::new(first, record(&id, "acme", "a")), "test").await.unwrap();
        store.rotate(&id, digest(&format!("second {number}")), until, "test").await.unwrap();
    }
    for scope in ["b", "c", "d"] {
        store.save_account(account("acme", scope), "test").await.unwrap();
    }
    for number in (0..count).filter(|number| number % 5 != 0) {
        store.delete(&format!("key_{number}"), "test").await.unwrap();
    }
    for number in 0..count {
        for (secret, end) in [("first", Some(until)), ("second", None)] {
            let found = store.find(&digest(&format!("{secret} {number}"))).await.unwrap();
            let found = found.map(|record| (record.scopes().contains("d"), record.expires()));
            assert_eq!(found, (number % 5 == 0).then_some((true, end)), "{secret} {number}");
        }
    }
}

/// A change that concerns all secrets of a key finds room for each, however many records were replaced before.
#[tokio::test]
async fn what_changes_a_key_changes_all_its_secrets() {
    const SECRETS: u64 = MOST_VALID_SECRETS as u64;
    // After this many, the places that the table has for replaced records were taken several times.
    const ROUNDS: u64 = 2_000;
    let store = MemoryStore::with_clock(ManualClock::starting_at(NOW));
    let all_say = async |end: u64, name: &str| {
        for number in 0..SECRETS {
            let found = store.find(&digest(&number.to_string())).await.unwrap().unwrap();
            let end = (number < SECRETS - 1).then(|| Timestamp::from_unix_seconds(end));
            assert_eq!((found.expires(), found.name()), (end, name), "secret {number}");
        }
    };
    let rotate = async |number: u64, end: u64| {
        let (secret, end) = (digest(&number.to_string()), Timestamp::from_unix_seconds(end));
        store.rotate("key", secret, end, "test").await.unwrap();
    };
    store.add(NewKey::new(digest("0"), record("key", "acme", "a")), "test").await.unwrap();
    for number in 1..SECRETS {
        rotate(number, 2_000).await;
    }
    for round in 0..ROUNDS {
        let name = round.to_string();
        let change = move |key: KeyRecordBuilder| key.name(name);
        store.update("key", Box::new(change), "test").await.unwrap();
        all_say(2_000, &round.to_string()).await;
    }
}

/// Managers on several threads lose no change, and readers miss neither secret meanwhile.
#[test]
fn threads_take_turns() {
    let store = MemoryStore::new();
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    let key = NewKey::new(digest("old"), record("key", "acme", "a"));
    runtime().block_on(store.add(key, "test")).unwrap();
    let until = Timestamp::from_unix_seconds(2_000_000_000);
    runtime().block_on(store.rotate("key", digest("new"), until, "test")).unwrap();
    thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let store = &store;
                scope.spawn(move || {
                    for round in 0..200 {
                        let change = move |key: KeyRecordBuilder| {
                            key.metadata(format!("{writer} {round}"), "made")
                        };
                        runtime().block_on(store.update("key", Box::new(change), "test")).unwrap();
                    }
                })
            })
            .collect();
        while !writers.iter().all(thread::ScopedJoinHandle::is_finished) {
            for secret in ["old", "new"] {
                assert!(runtime().block_on(store.find(&digest(secret))).unwrap().is_some());
            }
        }
    });
    for secret in ["old", "new"] {
        let found = runtime().block_on(store.find(&digest(secret))).unwrap().unwrap();
        assert_eq!(found.all_metadata().count(), 800);
    }
    assert_eq!(runtime().block_on(store.changes(0, 10_000)).unwrap().len(), 802);
}
