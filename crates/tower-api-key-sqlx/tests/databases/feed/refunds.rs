//! Lines of given-back quota, which change no key: replicas and caches go on.

use tower_api_key::store::{
    Cached, Command, CommandOptions, Difference, FeedAnswer, FeedChange, Invalidation,
    Invalidations, KeyFeed, KeyManager, KeyStore,
};
use tower_api_key_sqlx::SqlStore;

use super::copy::{StoreCopy, all};
use crate::folder::Folder;
use crate::postgres::Postgres;
use crate::{digest, key, sqlite};

async fn give_back(store: &dyn KeyManager, id: &str) {
    let used = Difference::new("quota minute", Some("9".to_owned()), Some("0".to_owned()));
    let options = CommandOptions::by("ada").because("ticket 4711");
    store.apply(Command::NoteRefund { id, used }, options).await.unwrap();
}

async fn a_reader_goes_on(url: &str) {
    let store = SqlStore::connect(url).await.unwrap();
    for number in 0..20 {
        store.add(key(&format!("key_{number}")), "ada").await.unwrap();
    }
    let mut copy = StoreCopy::of(&store).await.unwrap();
    for id in ["key_3", "key_3", "key_7"] {
        give_back(&store, id).await;
    }
    let FeedAnswer::Same(changes) =
        store.changes_after(copy.position, copy.position).await.unwrap()
    else {
        panic!("the reader would copy the whole store")
    };
    let mut keys: Vec<_> = changes
        .changes
        .iter()
        .map(|change| match change {
            FeedChange::Key { id, .. } => id.to_string(),
            _ => panic!("all keys of an account would be read"),
        })
        .collect();
    keys.sort();
    assert_eq!(keys, ["key_3", "key_7"], "no other key is read");
    assert!(copy.follow(&store).await);
    assert_eq!(copy.secrets, all(&store).await);
}

#[tokio::test]
async fn a_replica_of_sqlite_reads_one_key_after_a_refund() {
    let folder = Folder::new();
    a_reader_goes_on(&sqlite(&folder)).await;
}

#[tokio::test]
async fn a_replica_of_postgres_reads_one_key_after_a_refund() {
    let Some(server) = Postgres::start() else { return };
    a_reader_goes_on(server.url()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cache_keeps_its_records_after_a_refund() {
    let Some(server) = Postgres::start() else { return };
    let store = SqlStore::connect(server.url()).await.unwrap();
    store.add(key("key_1"), "ada").await.unwrap();
    let every = std::time::Duration::from_millis(20);
    let mut changes = store.invalidations().unwrap().prove_every(every);
    assert_eq!(changes.next().await.unwrap(), Invalidation::Everything);
    give_back(&store, "key_1").await;
    for _ in 0..5 {
        let next = changes.next().await.unwrap();
        assert!(matches!(next, Invalidation::UpToDate(_)), "{next:?}");
    }
    // A cache through which the refund is made keeps them, too.
    let cache = Cached::new(store.clone());
    cache.find(&digest("key_1")).await.unwrap().unwrap();
    give_back(&cache, "key_1").await;
    assert!(cache.find(&digest("key_1")).await.unwrap().is_some());
}
