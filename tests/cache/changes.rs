//! What a change costs those that it is not about.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tower_api_key::Reply;
use tower_api_key::key::{Account, AccountId, KeyDigest, KeyRecord, SharedRecord};
use tower_api_key::store::{Cached, Invalidation, KeyStore, MemoryStore, StoreError};

use crate::double::{Double, Mood, digest};
use crate::{REVOKED, SERVES, UNKNOWN, ask, cached};

fn account(id: impl Into<String>) -> AccountId {
    Account::builder(id.into()).build().unwrap().id().clone()
}

/// A database of a key for each secret, one account each, that takes a while.
struct Slow(MemoryStore);

impl KeyStore for Slow {
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        let found = self.0.find(digest);
        Reply::later(async move {
            tokio::time::sleep(Duration::from_millis(10)).await;
            found.await
        })
    }
}

fn database(keys: u32) -> MemoryStore {
    let store = MemoryStore::new();
    for number in 0..keys {
        let account = Arc::new(Account::builder(format!("account_{number}")).build().unwrap());
        let record = KeyRecord::builder(format!("key_{number}"), account).build().unwrap();
        store.add_now(digest(&number.to_string()), record);
    }
    store
}

#[tokio::test(start_paused = true)]
async fn changes_elsewhere_keep_no_answer_from_being_kept() {
    const KEYS: u32 = 2_000;
    let cache = Cached::new(Slow(database(KEYS)));
    // Five changes to each lookup.
    let changes = tokio::spawn({
        let cache = cache.clone();
        async move {
            for number in 0u64.. {
                let mut other = [0xa5; 32];
                other[..8].copy_from_slice(&number.to_le_bytes());
                cache.invalidate(&Invalidation::Secret(KeyDigest::from_bytes(other)));
                cache.invalidate(&Invalidation::Added);
                if number % 10 == 0 {
                    cache.invalidate(&Invalidation::Account(account(format!("other_{number}"))));
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
    });
    let requests: Vec<_> = (0..64)
        .map(|client| {
            let cache = cache.clone();
            tokio::spawn(async move {
                for number in (client..KEYS).step_by(64) {
                    assert!(cache.find(&digest(&number.to_string())).await.unwrap().is_some());
                }
            })
        })
        .collect();
    for request in requests {
        request.await.unwrap();
    }
    changes.abort();
    // Some accounts share a place with one that has changed.
    assert!(cache.len() > KEYS as usize * 9 / 10, "only {} of {KEYS} are kept", cache.len());
}

#[tokio::test(start_paused = true)]
async fn a_lookup_is_shared_by_those_that_come_after_a_change_elsewhere() {
    let store = Double::new(Mood::Waits);
    let (cache, _) = cached(&store);
    let mut requests = Vec::new();
    for number in 0..10 {
        let cache_of_task = cache.clone();
        requests.push(tokio::spawn(async move { ask(&cache_of_task, "good").await }));
        tokio::task::yield_now().await;
        cache.invalidate(&Invalidation::Secret(digest("another")));
        cache.invalidate(&Invalidation::Account(account(format!("other_{number}"))));
        cache.invalidate(&Invalidation::Added);
    }
    store.let_go();
    for request in requests {
        assert_eq!(request.await.unwrap(), SERVES);
    }
    assert_eq!((ask(&cache, "good").await, store.asked()), (SERVES, 1));
}

#[tokio::test(start_paused = true)]
async fn who_comes_after_a_notice_has_no_answer_from_before_it() {
    for what in [
        Invalidation::Secret(digest("good")),
        Invalidation::Account(account("acme")),
        Invalidation::Everything,
    ] {
        let store = Double::new(Mood::Waits);
        let (cache, _) = cached(&store);
        let ask = |secret| {
            let cache = cache.clone();
            tokio::spawn(async move { ask(&cache, secret).await })
        };
        let early = ask("good");
        tokio::task::yield_now().await;
        store.turns(Mood::Revoked);
        cache.invalidate(&what);
        let late = ask("good");
        tokio::task::yield_now().await;
        store.let_go();
        assert_eq!(early.await.unwrap(), SERVES, "it began before, {what:?}");
        assert_eq!(late.await.unwrap(), REVOKED, "{what:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_comes_after_a_key_was_added_is_not_told_that_there_is_none() {
    let store = Double::new(Mood::Waits);
    let (cache, _) = cached(&store);
    let ask_for = |secret| {
        let cache = cache.clone();
        tokio::spawn(async move { ask(&cache, secret).await })
    };
    let early = ask_for("unknown");
    tokio::task::yield_now().await;
    cache.invalidate(&Invalidation::Added);
    let late = ask_for("unknown");
    tokio::task::yield_now().await;
    store.let_go();
    store.let_go();
    assert_eq!((early.await.unwrap(), late.await.unwrap()), (UNKNOWN, UNKNOWN));
    assert_eq!(store.asked(), 2, "the second one asked after the key was added");
    assert_eq!((ask(&cache, "unknown").await, store.asked()), (UNKNOWN, 2), "and is kept");
}

#[tokio::test]
async fn an_account_is_named_in_a_time_that_does_not_grow_with_what_is_kept() {
    const NOTICES: u32 = 10_000;
    let mut took = Vec::new();
    for keys in [100, 50_000] {
        let cache = Cached::new(database(keys));
        for number in 0..keys {
            cache.find(&digest(&number.to_string())).await.unwrap();
        }
        let notices: Vec<_> =
            (0..NOTICES).map(|n| Invalidation::Account(account(format!("other_{n}")))).collect();
        let began = Instant::now();
        for notice in &notices {
            cache.invalidate(notice);
        }
        took.push(began.elapsed());
    }
    println!("{NOTICES} notices: {took:?}, with 100 and with 50,000 records kept");
    // A walk over 50,000 records for each would take a minute.
    assert!(took[1] < 20 * took[0] + Duration::from_millis(100), "{took:?}");
}
