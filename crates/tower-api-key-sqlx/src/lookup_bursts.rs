//! Tests lookups of PostgreSQL that wait for a connection together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, yield_now};
use tokio::time::timeout;

use super::SqlStore;
use super::group_queries::MOST;
use super::lookup_queue::{LookupQueue, LookupResult, Place};
use super::on_both::run;
use super::plan::postgres::Postgres;
use super::statement::Statement;
use super::watched_pool::{WatchedPool, WatchedStep, Watcher};
use tower_api_key::key::{Account, KeyDigest, KeyHasher, KeyRecord};
use tower_api_key::store::{KeyManager, KeyStore, NewKey};

/// Counts the statements of lookups, and lets each run when it is allowed.
#[derive(Clone)]
struct Gate {
    begun: Arc<AtomicUsize>,
    allowed: Arc<Semaphore>,
}

impl Watcher for Gate {
    async fn at(&self, step: WatchedStep) {
        if step == WatchedStep::Fetch {
            self.begun.fetch_add(1, Ordering::Relaxed);
            self.allowed.acquire().await.unwrap().forget();
        }
    }
}

impl Gate {
    /// Waits until so many statements have begun.
    async fn reaches(&self, begun: usize) {
        let reached = async {
            while self.begun.load(Ordering::Relaxed) < begun {
                yield_now().await;
            }
        };
        timeout(Duration::from_secs(5), reached).await.unwrap();
    }
}

fn digest(id: &str) -> KeyDigest {
    KeyHasher::sha256().digest(id.as_bytes())
}

fn key(number: u32) -> NewKey {
    let account = Account::builder(format!("account_{}", number / 2)).build().unwrap();
    let record = KeyRecord::builder(number.to_string(), account).build().unwrap();
    NewKey::new(digest(&number.to_string()), record)
}

/// Returns a store with one connection and the keys 0 to 39.
async fn store(server: &Postgres) -> (SqlStore, Gate) {
    let store = SqlStore::builder(server.url()).max_connections(1);
    let mut store = store.lookup_timeout(Duration::from_secs(10)).connect().await.unwrap();
    store.import((0..40).map(key).collect(), "test").await.unwrap();
    let gate = Gate { begun: Arc::default(), allowed: Arc::new(Semaphore::new(0)) };
    WatchedPool::put_into(&mut store, gate.clone());
    (store, gate)
}

/// Begins lookups, one after the other.
async fn begin(store: &SqlStore, ids: impl Iterator<Item = u32>) -> Vec<JoinHandle<LookupResult>> {
    let mut begun = Vec::new();
    for id in ids {
        let store = store.clone();
        begun.push(tokio::spawn(async move { store.find(&digest(&id.to_string())).await }));
        yield_now().await;
    }
    begun
}

/// Returns the id that a lookup found.
async fn found(lookup: JoinHandle<LookupResult>) -> Option<String> {
    lookup.await.unwrap().unwrap().map(|record| record.id().to_string())
}

#[tokio::test]
async fn lookups_that_wait_for_a_connection_are_made_together() {
    let Some(server) = Postgres::start() else { return };
    let (store, gate) = store(&server).await;
    let first = begin(&store, 0..1).await;
    gate.reaches(1).await;
    // Each key twice, and some that the store does not have.
    let others = begin(&store, (20..60).chain(20..60)).await;
    gate.allowed.add_permits(100);
    for (lookup, id) in
        first.into_iter().chain(others).zip([0].into_iter().chain(20..60).chain(20..60))
    {
        assert_eq!(found(lookup).await, (id < 40).then(|| id.to_string()), "{id}");
    }
    assert_eq!(gate.begun.load(Ordering::Relaxed), 1 + 80 / MOST);
}

#[tokio::test]
async fn a_lookup_with_a_free_connection_is_made_alone() {
    let Some(server) = Postgres::start() else { return };
    let (store, gate) = store(&server).await;
    gate.allowed.add_permits(100);
    for id in 0..3 {
        let [lookup] = <[_; 1]>::try_from(begin(&store, id..=id).await).unwrap();
        assert_eq!(found(lookup).await, Some(id.to_string()));
    }
    assert_eq!(gate.begun.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn a_broken_row_fails_the_lookup_of_its_key_alone() {
    let Some(server) = Postgres::start() else { return };
    let (store, gate) = store(&server).await;
    gate.allowed.add_permits(100);
    run(&store, "UPDATE {keys} SET scopes = 'junk' WHERE id = '2'").await;
    gate.allowed.forget_permits(usize::MAX);
    let (begun, first) = (gate.begun.load(Ordering::Relaxed), begin(&store, 0..1).await);
    gate.reaches(begun + 1).await;
    let mut others = begin(&store, 1..4).await;
    gate.allowed.add_permits(100);
    let broken = others.remove(1).await.unwrap().unwrap_err().to_string();
    assert!(broken.contains("a row of the database is broken"), "{broken}");
    for (lookup, id) in first.into_iter().chain(others).zip(["0", "1", "3"]) {
        assert_eq!(found(lookup).await.as_deref(), Some(id));
    }
    assert_eq!(gate.begun.load(Ordering::Relaxed), begun + 2);
}

#[tokio::test]
async fn lookups_are_answered_if_the_one_that_took_them_along_is_given_up() {
    let Some(server) = Postgres::start() else { return };
    let (store, gate) = store(&server).await;
    let first = begin(&store, 0..1).await;
    gate.reaches(1).await;
    let mut others = begin(&store, 1..4).await;
    gate.allowed.add_permits(1);
    gate.reaches(2).await;
    let leader = others.remove(0);
    leader.abort();
    assert!(leader.await.unwrap_err().is_cancelled());
    gate.allowed.add_permits(100);
    for (lookup, id) in first.into_iter().chain(others).zip(["0", "2", "3"]) {
        assert_eq!(found(lookup).await.as_deref(), Some(id));
    }
    // Also if it was given up while it waited for its connection.
    gate.allowed.forget_permits(usize::MAX);
    let begun = gate.begun.load(Ordering::Relaxed);
    let first = begin(&store, 0..1).await;
    gate.reaches(begun + 1).await;
    let mut others = begin(&store, 1..4).await;
    others.remove(0).abort();
    gate.allowed.add_permits(100);
    for (lookup, id) in first.into_iter().chain(others).zip(["0", "2", "3"]) {
        assert_eq!(found(lookup).await.as_deref(), Some(id));
    }
}

#[tokio::test]
async fn keys_are_looked_up_together_by_primary_keys() {
    let Some(server) = Postgres::start() else { return };
    let store = SqlStore::connect(server.url()).await.unwrap();
    store.import((0..2_000).map(key).collect(), "test").await.unwrap();
    let mut connection = store.pool.acquire().await.unwrap();
    connection.execute(Statement::from("ANALYZE")).await.unwrap();
    for size in [2, 3, MOST] {
        let digests: Vec<_> = (0..size).map(|number| digest(&number.to_string())).collect();
        let asked = store.groups.statement(&digests);
        let explained = Statement::made(format!("EXPLAIN {}", asked.sql.as_str()));
        let explained = Statement { values: asked.values, ..explained };
        let rows = connection.fetch(explained).await.unwrap();
        let line = |row: &super::driver::Row| row.text("QUERY PLAN").unwrap().unwrap();
        let plan = rows.iter().map(line).collect::<Vec<_>>().join("\n");
        for index in ["secrets_pkey", "keys_pkey", "accounts_pkey"] {
            assert!(plan.contains(&format!("using tower_api_key_{index}")), "{plan}");
        }
        assert!(!plan.contains("Seq Scan"), "{plan}");
    }
}

/// The one that leads may wait for a new connection, so others do not rely on it for long.
#[tokio::test]
async fn lookups_that_wait_for_long_get_a_connection_by_themselves() {
    let Some(server) = Postgres::start() else { return };
    let (store, gate) = store(&server).await;
    let first = begin(&store, 0..1).await;
    gate.reaches(1).await;
    let Place::Leads(lead) = LookupQueue::join(&store.lookups, digest("0")) else {
        panic!("leads")
    };
    let others = begin(&store, 1..4).await;
    gate.allowed.add_permits(100);
    for (lookup, id) in first.into_iter().chain(others).zip(["0", "1", "2", "3"]) {
        assert_eq!(found(lookup).await.as_deref(), Some(id));
    }
    assert_eq!(gate.begun.load(Ordering::Relaxed), 2, "one took the others along");
    assert!(lead.take_along(1).is_empty());
}
