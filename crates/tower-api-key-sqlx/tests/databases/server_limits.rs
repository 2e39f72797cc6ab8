//! Limits that the server enforces, and for how long connections live.

use std::time::Duration;

use sqlx::PgPool;
use tower_api_key::store::{KeyManager, KeyStore};
use tower_api_key_sqlx::SqlStore;

use crate::distance::Distance;
use crate::pgbouncer::PgBouncer;
use crate::postgres::{Postgres, url_at};
use crate::{digest, key};

/// Waits until so many queries of other sessions wait for a lock.
async fn waiting(look: &PgPool, expected: impl Fn(i64) -> bool, limit: Duration) {
    let count = "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    let waited = async {
        loop {
            let found: i64 = sqlx::query_scalar(count).fetch_one(look).await.unwrap();
            if expected(found) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(limit, waited).await.expect("queries wait on");
}

/// A table is locked for minutes. Each lookup that gave up must not leave its query at the server: a few hundred of
/// them would take all its connections.
async fn is_left_in_peace(server: &Postgres, url: &str) {
    let look = PgPool::connect(server.url()).await.unwrap();
    // A busy machine connects within it.
    let builder = SqlStore::builder(url).lookup_timeout(Duration::from_secs(2));
    let store = builder.connect().await.unwrap();
    let mut locking = look.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE tower_api_key_secrets").execute(&mut *locking).await.unwrap();
    let asking: Vec<_> = (0..8)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.find(&digest("key")).await.is_err() })
        })
        .collect();
    waiting(&look, |found| found > 0, Duration::from_secs(10)).await;
    for asked in asking {
        assert!(asked.await.unwrap());
    }
    waiting(&look, |found| found == 0, Duration::from_secs(20)).await;
    locking.rollback().await.unwrap();
    let store = store.with_lookup_timeout(Duration::from_secs(20));
    assert!(store.find(&digest("key")).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lookup_that_gave_up_leaves_no_query_at_the_server() {
    let Some(server) = Postgres::start() else { return };
    is_left_in_peace(&server, server.url()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lookup_that_gave_up_leaves_no_query_behind_a_pooler() {
    let Some(server) = Postgres::start() else { return };
    let Some(pooler) = PgBouncer::before(&server, 4) else { return };
    is_left_in_peace(&server, &format!("{}?pgbouncer=true", pooler.url())).await;
}

#[tokio::test]
async fn connections_are_replaced_and_idle_ones_are_closed() {
    const SHORT: Duration = Duration::from_millis(300);
    let Some(server) = Postgres::start() else { return };
    let relay = Distance::to(server.port(), Duration::ZERO).await;
    let url = url_at(relay.port());
    let builder = SqlStore::builder(&url).max_connections(1).max_lifetime(SHORT);
    let store = builder.connect().await.unwrap();
    store.add(key("key"), "test").await.unwrap();
    let opened = relay.opened();
    for _ in 0..4 {
        tokio::time::sleep(SHORT).await;
        assert!(store.find(&digest("key")).await.unwrap().is_some());
    }
    assert!(relay.opened() >= opened + 3, "a connection lives too long");
    store.close().await;
    let store = SqlStore::builder(&url).idle_timeout(SHORT).connect().await.unwrap();
    assert!(store.find(&digest("key")).await.unwrap().is_some());
    let look = PgPool::connect(server.url()).await.unwrap();
    let count = "SELECT COUNT(*) FROM pg_stat_activity WHERE backend_type = 'client backend'";
    let closed = async {
        while sqlx::query_scalar::<_, i64>(count).fetch_one(&look).await.unwrap() > 1 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), closed).await.expect("idle ones are closed");
    assert!(store.find(&digest("key")).await.unwrap().is_some());
}
