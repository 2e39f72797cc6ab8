//! The memory store keeps every promise of a store, and the kit of stores can fail.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../support/mod.rs"]
mod support;

mod faults;
mod faulty;
mod model;
mod rotated;

use std::time::Duration;

use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::key::{Account, KeyDigest, KeyRecord};
use tower_api_key::store::{KeyManager, KeyStore, MemoryStore, NewKey};

use support::{account, digest};

/// What the suite needs of a store besides looking up.
trait Writable: KeyStore {
    fn put(&self, key: &str, record: KeyRecord);
    fn change_account(&self, account: Account);
    fn revoke(&self, id: &str);
    fn delete(&self, id: &str);
}

impl Writable for MemoryStore {
    fn put(&self, key: &str, record: KeyRecord) {
        self.add_now(digest(key), record);
    }

    fn change_account(&self, account: Account) {
        self.save_account_now(account);
    }

    fn revoke(&self, id: &str) {
        assert_eq!(self.update_now(id, |key| key.revoked(true)), Ok(true));
    }

    fn delete(&self, id: &str) {
        assert!(self.delete_now(id));
    }
}

async fn suite<S: Writable>(store: S) {
    let find = |key: &str| {
        let digest = digest(key);
        let store = &store;
        async move { store.find(&digest).await.expect("the store answers") }
    };
    for number in 0..500 {
        let record = KeyRecord::builder(format!("key_{number}"), account("acme")).build().unwrap();
        store.put(&format!("secret {number}"), record);
    }
    for number in 0..500 {
        let found = find(&format!("secret {number}")).await.expect("it was put there");
        assert_eq!(*found.id(), format!("key_{number}")[..]);
    }
    assert!(find("another secret").await.is_none());

    let whole = *digest("secret 7").as_bytes();
    for byte in 0..32 {
        let mut other = whole;
        other[byte] ^= 0x80;
        let found = store.find(&KeyDigest::from_bytes(other)).await.expect("the store answers");
        assert!(found.is_none(), "all 256 bits count, byte {byte} too");
    }

    store.revoke("key_7");
    assert!(find("secret 7").await.expect("revoked, not gone").is_revoked());
    assert!(!find("secret 8").await.unwrap().is_revoked());
    store.delete("key_7");
    assert!(find("secret 7").await.is_none());

    let before = find("secret 8").await.unwrap();
    assert!(before.scopes().is_empty());
    store.change_account(Account::builder("acme").scopes(["read"]).build().unwrap());
    assert!(find("secret 8").await.unwrap().scopes().contains("read"), "at once");
    assert!(before.scopes().is_empty(), "a record in hand does not change under its reader");
    assert!(find("secret 7").await.is_none(), "a deleted key is not brought back");
}

#[tokio::test]
async fn the_memory_store_passes() {
    suite(MemoryStore::new()).await;
}

mod memory {
    use tower_api_key::store::MemoryStore;

    tower_api_key::store_tests!(MemoryStore::new);
    tower_api_key::pepper_tests!(MemoryStore::new);
}

mod memory_lookups {
    use tower_api_key::store::MemoryStore;
    use tower_api_key::testing::Records;

    tower_api_key::lookup_tests!(|records: Records| {
        let store = MemoryStore::new();
        for (digest, record) in records {
            store.add_now(digest, record);
        }
        store
    });
}

#[tokio::test]
async fn a_store_tells_the_time_of_changes_by_its_clock() {
    let at = Timestamp::from_unix_seconds;
    let clock = ManualClock::starting_at(at(1_000));
    let store = MemoryStore::with_clock(clock.clone());
    let record = KeyRecord::builder("key", account("acme")).build().unwrap();
    store.add(NewKey::new(digest("old"), record), "ada").await.unwrap();
    clock.advance(Duration::from_secs(60));
    let entry = store.rotate("key", digest("new"), at(2_000), "ada").await.unwrap();
    assert_eq!(entry.created, at(1_000), "a rotation makes no new key");
    let secrets: Vec<_> = entry.secrets.iter().map(|secret| secret.created).collect();
    assert_eq!(secrets, [at(1_060), at(1_000)]);
    let changes: Vec<_> = store.changes(0, 10).await.unwrap().iter().map(|line| line.at).collect();
    assert_eq!(changes, [at(1_000), at(1_060)]);
}
