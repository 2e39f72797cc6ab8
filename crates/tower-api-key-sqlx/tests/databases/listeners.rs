//! The one connection for notices that all stores and caches of a process share.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tower_api_key::store::{Cached, Invalidation, Invalidations, KeyManager, KeyStore};
use tower_api_key_sqlx::{SqlInvalidations, SqlStore};

use crate::postgres::Postgres;
use crate::relay::Relay;
use crate::{digest, key, postgres};

/// Counts the connections that listen, and all connections of the stores.
async fn connections(look: &PgPool) -> (i64, i64) {
    let count = "SELECT COUNT(*) FILTER (WHERE query LIKE 'LISTEN%' OR query = 'SELECT 1'), COUNT(*) \
                 FROM pg_stat_activity WHERE usename = 'node'";
    sqlx::query_as(count).fetch_one(look).await.unwrap()
}

async fn node(server: &Postgres) -> (PgPool, String) {
    let look = PgPool::connect(server.url()).await.unwrap();
    sqlx::raw_sql("CREATE ROLE node LOGIN SUPERUSER").execute(&look).await.unwrap();
    (look, server.url().replace("test@", "node@"))
}

async fn hears(changes: &mut SqlInvalidations, expected: &Invalidation) {
    let heard = tokio::time::timeout(Duration::from_secs(10), changes.next()).await;
    assert_eq!(heard.unwrap().unwrap(), *expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_stores_and_caches_of_a_process_share_a_listener() {
    let Some(server) = Postgres::start() else { return };
    let (look, url) = node(&server).await;
    let mut listeners = Vec::new();
    let mut caches = Vec::new();
    for prefix in ["a_", "b_", "c_"] {
        let store = SqlStore::builder(&url).prefix(prefix).connect().await.unwrap();
        let cache = Cached::new(store.clone());
        tokio::spawn(cache.listen(store.invalidations().unwrap()));
        // A proof of a busy machine would report a change once more.
        let never = Duration::from_secs(3_600);
        let mut own = store.invalidations().unwrap().prove_every(never);
        hears(&mut own, &Invalidation::Everything).await;
        listeners.push(own);
        caches.push((store, cache));
    }
    let (listening, all) = connections(&look).await;
    assert_eq!(listening, 1, "of {all} connections");
    caches[0].0.add(key("key"), "test").await.unwrap();
    for listener in &mut listeners {
        hears(listener, &Invalidation::Added).await;
    }
    // Each ends on its own, and the last one ends the connection.
    listeners.truncate(1);
    drop(caches);
    let store = SqlStore::builder(&url).prefix("a_").connect().await.unwrap();
    store.revoke("key", "test").await.unwrap();
    hears(&mut listeners[0], &Invalidation::Secret(digest("key"))).await;
    listeners.clear();
    store.close().await;
    tokio::time::timeout(Duration::from_secs(10), async {
        while connections(&look).await.1 > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("no connection is left behind");
}

/// A busy node has its pool and one listener.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_node_has_five_connections() {
    let Some(server) = Postgres::start() else { return };
    let (look, url) = node(&server).await;
    let store = SqlStore::connect(&url).await.unwrap();
    store.add(key("key"), "test").await.unwrap();
    let cache = Arc::new(Cached::new(store.clone()));
    tokio::spawn(cache.listen(store.invalidations().unwrap()));
    let asking: Vec<_> = (0..200)
        .map(|number| {
            let (store, cache) = (store.clone(), Arc::clone(&cache));
            tokio::spawn(async move {
                store.find(&digest("key")).await.unwrap();
                cache.find(&digest(&format!("unknown {number}"))).await.unwrap();
            })
        })
        .collect();
    for asked in asking {
        asked.await.unwrap();
    }
    let mut changes = store.invalidations().unwrap();
    hears(&mut changes, &Invalidation::Everything).await;
    let (_, all) = connections(&look).await;
    assert!((2..=5).contains(&all), "{all} connections");
}

/// What one listener loses, all lose, and all find it again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn listeners_that_share_a_connection_lose_it_together() {
    const SHORT: Duration = Duration::from_millis(400);
    let Some(server) = Postgres::start() else { return };
    let relay = Relay::to(server.port()).await;
    let store = SqlStore::connect(&postgres::url_at(relay.port())).await.unwrap();
    let store = store.with_lookup_timeout(SHORT);
    // The first is patient; the second is not, and both profit.
    let mut patient = store.invalidations().unwrap();
    hears(&mut patient, &Invalidation::Everything).await;
    let mut hasty = store.invalidations().unwrap().probe_after(SHORT);
    hears(&mut hasty, &Invalidation::Everything).await;
    relay.falls_silent(true);
    for listener in [&mut patient, &mut hasty] {
        let lost = tokio::time::timeout(20 * SHORT, listener.next()).await;
        assert!(lost.expect("the silence is noticed").is_err());
    }
    relay.falls_silent(false);
    for listener in [&mut patient, &mut hasty] {
        hears(listener, &Invalidation::Everything).await;
    }
    // A pool that lost its connections, too.
    while store.add(key("key"), "test").await.is_err() {}
    for listener in [&mut patient, &mut hasty] {
        hears(listener, &Invalidation::Added).await;
    }
}

/// The runtime that the connection was opened on ends, and another listener goes on.
#[test]
fn a_listener_outlives_the_runtime_of_another() {
    let Some(server) = Postgres::start() else { return };
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (first, second) = (runtime(), runtime());
    let listener = |runtime: &tokio::runtime::Runtime| {
        runtime.block_on(async {
            let store = SqlStore::connect(server.url()).await.unwrap();
            let mut changes = store.invalidations().unwrap();
            hears(&mut changes, &Invalidation::Everything).await;
            (store, changes)
        })
    };
    let one = listener(&first);
    let (store, mut changes) = listener(&second);
    first.shutdown_background();
    second.block_on(async {
        let lost = tokio::time::timeout(Duration::from_secs(10), changes.next()).await;
        assert!(lost.unwrap().is_err());
        hears(&mut changes, &Invalidation::Everything).await;
        store.add(key("key"), "test").await.unwrap();
        hears(&mut changes, &Invalidation::Added).await;
    });
    drop(one);
}
