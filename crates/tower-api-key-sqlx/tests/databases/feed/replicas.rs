//! Replicas over real databases: what they serve while the database is changed, frozen, killed and restored.

use std::time::{Duration, Instant};

use tower_api_key::store::{KeyManager, KeyStore, Replica};
use tower_api_key_sqlx::SqlStore;

use super::copy::{StoreCopy, all};
use crate::folder::Folder;
use crate::pgbouncer::PgBouncer;
use crate::postgres::Postgres;
use crate::{digest, key, sqlite};

const STALENESS: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(30);

/// Starts a node, which polls each 100 ms.
pub(super) async fn node(url: &str) -> Replica<SqlStore> {
    let store = SqlStore::builder(url).max_connections(2).connect().await.unwrap();
    let replica = Replica::builder(store)
        .poll_interval(Duration::from_millis(100))
        .timeout(Duration::from_millis(500))
        .staleness(STALENESS)
        .build()
        .unwrap();
    tokio::spawn(replica.follow());
    replica.ready().await;
    replica
}

/// What a node answers to a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NodeAnswer {
    Serves,
    Refuses,
    Unavailable,
}

pub(super) async fn ask(node: &Replica<SqlStore>, id: &str) -> NodeAnswer {
    match node.find(&digest(id)).await {
        Ok(Some(record)) if !record.is_revoked() => NodeAnswer::Serves,
        Ok(_) => NodeAnswer::Refuses,
        Err(_) => NodeAnswer::Unavailable,
    }
}

/// Asks until the answer is this one; returns how long that took.
pub(super) async fn until(node: &Replica<SqlStore>, id: &str, expected: NodeAnswer) -> Duration {
    let began = Instant::now();
    loop {
        let answer = ask(node, id).await;
        if answer == expected {
            return began.elapsed();
        }
        assert!(began.elapsed() < PATIENCE, "{id}: {answer:?} for good: {:?}", node.failure());
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
}

/// Revokes keys, and measures when four nodes refuse them.
async fn revocations(name: &str, url: &str, polls: bool) {
    const REVOCATIONS: usize = 60;
    let writer = SqlStore::connect(url).await.unwrap();
    let keys = (0..REVOCATIONS).map(|number| key(&format!("key_{number}")));
    writer.import(keys.collect(), "test").await.unwrap();
    let mut nodes = Vec::new();
    for _ in 0..4 {
        nodes.push(node(url).await);
    }
    let mut delays = Vec::new();
    for number in 0..REVOCATIONS {
        let id = format!("key_{number}");
        for node in &nodes {
            assert_eq!(ask(node, &id).await, NodeAnswer::Serves);
        }
        writer.revoke(&id, "test").await.unwrap();
        let revoked = Instant::now();
        for node in &nodes {
            until(node, &id, NodeAnswer::Refuses).await;
            delays.push(revoked.elapsed());
        }
    }
    delays.sort();
    let (p50, p99) = (delays[delays.len() / 2], delays[delays.len() * 99 / 100]);
    println!("{name}: refused by four nodes p50 {p50:.1?}, p99 {p99:.1?} after the revocation");
    // A busy machine is slow; the usual figures are in `docs`.
    assert!(p50 < if polls { STALENESS } else { Duration::from_millis(100) }, "{p50:?}");
    assert!(p99 < STALENESS, "{p99:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revocation_reaches_all_replicas_of_postgres() {
    let Some(server) = Postgres::start() else { return };
    SqlStore::connect(server.url()).await.unwrap();
    revocations("PostgreSQL", server.url(), false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revocation_reaches_all_replicas_of_sqlite() {
    let folder = Folder::new();
    SqlStore::connect(&sqlite(&folder)).await.unwrap();
    revocations("SQLite, polled each 100 ms", &sqlite(&folder), true).await;
}

/// A node serves on while the database is away, but not for longer than the staleness, and then sees what was
/// changed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_or_killed_postgres_costs_requests_only_after_the_staleness() {
    let Some(mut server) = Postgres::start() else { return };
    let writer = SqlStore::connect(server.url()).await.unwrap();
    for id in ["good", "first", "second"] {
        writer.add(key(id), "test").await.unwrap();
    }
    let node = node(server.url()).await;
    assert_eq!(ask(&node, "unknown").await, NodeAnswer::Refuses);
    for (id, frozen) in [("first", true), ("second", false)] {
        if frozen {
            server.freeze(true);
        } else {
            server.kill();
        }
        let began = Instant::now();
        // The age of the last proof counts, so the first half of the staleness is safe.
        while began.elapsed() < STALENESS / 2 {
            assert_eq!(ask(&node, "good").await, NodeAnswer::Serves);
            assert_eq!(ask(&node, "unknown").await, NodeAnswer::Refuses);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        until(&node, "good", NodeAnswer::Unavailable).await;
        assert!(began.elapsed() < STALENESS + Duration::from_secs(1), "{:?}", began.elapsed());
        assert_eq!(ask(&node, "unknown").await, NodeAnswer::Unavailable);
        if frozen {
            server.freeze(false);
        } else {
            server.start_again();
        }
        until(&node, "good", NodeAnswer::Serves).await;
        writer.revoke(id, "test").await.unwrap();
        until(&node, id, NodeAnswer::Refuses).await;
        assert_eq!(ask(&node, "good").await, NodeAnswer::Serves);
    }
}

/// The data is restored, as by a failover to a standby that lost the latest changes. What was changed since then never
/// was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_lost_its_latest_changes_is_noticed() {
    for also_changed in [false, true] {
        let Some(mut server) = Postgres::start() else { return };
        let writer = SqlStore::connect(server.url()).await.unwrap();
        for id in ["good", "revoked", "other"] {
            writer.add(key(id), "test").await.unwrap();
        }
        server.keep_backup();
        let node = node(server.url()).await;
        writer.revoke("revoked", "test").await.unwrap();
        writer.add(key("late"), "test").await.unwrap();
        until(&node, "revoked", NodeAnswer::Refuses).await;
        until(&node, "late", NodeAnswer::Serves).await;
        server.restore_backup();
        if also_changed {
            // The lost numbers are given out again.
            writer.revoke("other", "test").await.unwrap();
            writer.add(key("new"), "test").await.unwrap();
            until(&node, "new", NodeAnswer::Serves).await;
            until(&node, "other", NodeAnswer::Refuses).await;
        }
        until(&node, "late", NodeAnswer::Refuses).await;
        until(&node, "revoked", NodeAnswer::Serves).await;
        assert_eq!(ask(&node, "good").await, NodeAnswer::Serves);
    }
}

/// A standby states how old its data may be, and a node refuses when that is too old.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_of_a_standby_knows_its_age() {
    let Some(mut primary) = Postgres::start() else { return };
    let writer = SqlStore::connect(primary.url()).await.unwrap();
    for id in ["good", "revoked"] {
        writer.add(key(id), "test").await.unwrap();
    }
    let standby = primary.standby();
    let alone = SqlStore::connect(standby.url()).await.unwrap();
    let alone: &dyn tower_api_key::store::KeyFeed = &alone;
    let position = alone.position().await.unwrap();
    let told = alone.changes_after(position, position).await.unwrap_err().to_string();
    assert!(told.contains("standby"), "{told}");
    let builder = SqlStore::builder(standby.url()).listen_url(primary.url());
    let store = builder.max_lag(Duration::from_secs(1)).connect().await.unwrap();
    let node = Replica::builder(store).poll_interval(Duration::from_millis(100));
    let node = node.staleness(2 * STALENESS).build().unwrap();
    tokio::spawn(node.follow());
    node.ready().await;
    until(&node, "good", NodeAnswer::Serves).await;
    writer.revoke("revoked", "test").await.unwrap();
    let took = until(&node, "revoked", NodeAnswer::Refuses).await;
    println!("a revocation reached the replica of a standby after {took:.1?}");
    primary.kill();
    until(&node, "good", NodeAnswer::Unavailable).await;
}

/// A pooler sends each question over another session of the server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_behind_a_transaction_pooler_follows() {
    let Some(server) = Postgres::start() else { return };
    let Some(pooler) = PgBouncer::before(&server, 2) else { return };
    let writer = SqlStore::connect(server.url()).await.unwrap();
    for id in ["good", "revoked"] {
        writer.add(key(id), "test").await.unwrap();
    }
    let builder = SqlStore::builder(pooler.url()).behind_pooler(true);
    let store = builder.listen_url(server.url()).connect().await.unwrap();
    let mut copy = StoreCopy::of(&store).await.unwrap();
    let node = Replica::builder(store.clone()).poll_interval(Duration::from_millis(100));
    let node = node.staleness(STALENESS).build().unwrap();
    tokio::spawn(node.follow());
    node.ready().await;
    writer.revoke("revoked", "test").await.unwrap();
    until(&node, "revoked", NodeAnswer::Refuses).await;
    assert_eq!(ask(&node, "good").await, NodeAnswer::Serves);
    assert!(copy.follow(&store).await);
    assert_eq!(copy.secrets, all(&writer).await);
}
