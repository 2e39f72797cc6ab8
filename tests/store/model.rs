//! The memory store against a model of three maps: many random changes, and after each of them what
//! every secret, id and account leads to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tower_api_key::key::{Account, KeyRecord};
use tower_api_key::store::{KeyStore, MemoryStore};

use crate::support::digest;

/// What the store should know, by the plainest means.
#[derive(Default)]
struct Model {
    /// Key id to secret, account, and whether it is disabled.
    keys: BTreeMap<String, (String, String, bool)>,
    /// Account to its scope.
    accounts: BTreeMap<String, String>,
    kept: BTreeSet<String>,
}

impl Model {
    fn insert(&mut self, id: &str, secret: &str, account: &str, scope: &str) {
        self.keys.retain(|other, (known, ..)| other == id || known != secret);
        self.keys.insert(id.into(), (secret.into(), account.into(), false));
        // What the store knows of the account counts, as it was before anything was replaced.
        self.accounts.entry(account.into()).or_insert(scope.into());
        self.forget_accounts();
    }

    fn forget_accounts(&mut self) {
        let Self { keys, accounts, kept } = self;
        let has_keys = |account: &String| keys.values().any(|(_, owner, _)| owner == account);
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
        let expected = model.keys.iter().find(|(_, (known, ..))| *known == secret);
        assert_eq!(found.is_some(), expected.is_some(), "{secret}");
        if let (Some(found), Some((id, (_, owner, disabled)))) = (found, expected) {
            assert_eq!(*found.id(), id[..]);
            assert_eq!(
                (found.account().id() == &owner[..], found.is_disabled()),
                (true, *disabled)
            );
            assert!(found.scopes().contains(&model.accounts[owner]), "{id} of {owner}");
            assert_eq!(found.scopes().iter().len(), 1);
        }
        let owner = format!("account_{number}");
        let listed = store.records(&owner);
        let mut ids: Vec<_> = listed.iter().map(|record| record.id().to_string()).collect();
        ids.sort();
        let own = model.keys.iter().filter(|(_, (_, known, _))| *known == owner);
        assert_eq!(ids, own.map(|(id, _)| id.clone()).collect::<Vec<_>>(), "{owner}");
        assert_eq!(
            store.find_account_now(&owner).is_some(),
            model.accounts.contains_key(&owner),
            "{owner}"
        );
    }
}

/// Applies one random change to both.
fn change(store: &MemoryStore, model: &mut Model, random: &mut SmallRng, names: usize) {
    let mut name = |kind: &str| format!("{kind}_{}", random.random_range(0..names));
    let (id, secret, owner, scope) = (name("key"), name("secret"), name("account"), name("scope"));
    match random.random_range(0..10) {
        0..=4 => {
            store.add_now(digest(&secret), record(&id, &owner, &scope));
            model.insert(&id, &secret, &owner, &scope);
        }
        5 | 6 => {
            let flip = random.random();
            let known = store.update_now(&id, |key| key.disabled(flip));
            assert_eq!(known, Ok(model.keys.contains_key(&id)));
            if let Some((.., disabled)) = model.keys.get_mut(&id) {
                *disabled = flip;
            }
        }
        7 => {
            assert_eq!(store.delete_now(&id), model.keys.remove(&id).is_some());
            model.forget_accounts();
        }
        8 => {
            store.save_account_now(account(&owner, &scope));
            model.accounts.insert(owner.clone(), scope);
            model.kept.insert(owner);
        }
        _ => {
            assert_eq!(store.delete_account_now(&owner), model.accounts.contains_key(&owner));
            model.keys.retain(|_, (_, known, _)| *known != owner);
            model.accounts.remove(&owner);
            model.kept.remove(&owner);
        }
    }
}

#[tokio::test]
async fn random_changes_leave_what_a_model_says() {
    for seed in 0..12 {
        let mut random = SmallRng::seed_from_u64(seed);
        let (store, mut model) = (MemoryStore::new(), Model::default());
        let names = 3 + 5 * usize::try_from(seed).unwrap();
        for step in 0..4_000 {
            change(&store, &mut model, &mut random, names);
            if step % 7 == 0 {
                compare(&store, &model, names).await;
            }
        }
        compare(&store, &model, names).await;
    }
}

/// Growing past several sizes, and thinning out again, loses nothing.
#[tokio::test]
async fn a_store_grows_and_shrinks_without_losing_a_key() {
    let store = MemoryStore::new();
    let count = 30_000;
    for number in 0..count {
        let owner = format!("account_{}", number / 3);
        store.add_now(
            digest(&format!("secret {number}")),
            record(&format!("key_{number}"), &owner, "a"),
        );
    }
    for number in (0..count).filter(|number| number % 5 != 0) {
        assert!(store.delete_now(&format!("key_{number}")));
    }
    for number in 0..count {
        let found = store.find(&digest(&format!("secret {number}"))).await.unwrap();
        let id = found.map(|record| record.id().to_string());
        assert_eq!(id, (number % 5 == 0).then(|| format!("key_{number}")));
    }
    assert_eq!(store.len(), count / 5);
}

/// A change of an account takes a time in proportion to its keys, and no more.
#[tokio::test]
async fn an_account_may_have_many_keys() {
    let (store, count) = (MemoryStore::new(), 30_000);
    for number in 0..count {
        store.add_now(
            digest(&format!("secret {number}")),
            record(&format!("key_{number}"), "acme", "a"),
        );
    }
    store.save_account_now(account("acme", "b"));
    store.save_account_now(account("acme", "c"));
    let records = store.records("acme");
    assert_eq!(records.len(), count);
    assert!(records.iter().all(|record| record.scopes().contains("c")));
    assert!(store.delete_account_now("acme") && store.is_empty());
    assert!(store.find(&digest("secret 7")).await.unwrap().is_none());
}

/// While writers replace, revoke and delete other keys, and tables grow and shrink under them,
/// readers find the keys that nobody touches, as they are.
#[test]
fn readers_see_every_key_that_stays() {
    let store = MemoryStore::new();
    for number in 0..200 {
        let id = format!("stays_{number}");
        store.add_now(digest(&id), record(&id, "stays", "a"));
    }
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for reader in 0..2 {
            let (store, done) = (&store, &done);
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                let mut held = Vec::new();
                while !done.load(Ordering::Relaxed) {
                    for number in (reader..200).step_by(2) {
                        let id = format!("stays_{number}");
                        let found = runtime.block_on(store.find(&digest(&id))).unwrap();
                        let found = found.expect("it stays");
                        assert_eq!(*found.id(), id[..]);
                        held.push(found);
                    }
                    // A record in hand outlives the table that it came from.
                    if held.len() > 2_000 {
                        assert!(held.drain(..).all(|record| record.account().id() == "stays"));
                    }
                }
            });
        }
        let mut random = SmallRng::seed_from_u64(1);
        let mut model = Model::default();
        for _ in 0..6_000 {
            change(&store, &mut model, &mut random, 400);
        }
        done.store(true, Ordering::Relaxed);
    });
}
