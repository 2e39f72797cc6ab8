//! A store behind PgBouncer in transaction mode, which hands each transaction to another session of the server.

use std::error::Error;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tower_api_key::store::{Invalidation, Invalidations, KeyManager, KeyStore};
use tower_api_key::testing::store_suite;
use tower_api_key_sqlx::{SqlStore, SqlStoreBuilder};

use crate::distance::Distance;
use crate::pgbouncer::PgBouncer;
use crate::postgres::{Postgres, url_at};
use crate::{digest, key};

/// Four nodes over two sessions of the server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_behind_a_transaction_pooler_get_their_own_answers() {
    let Some(server) = Postgres::start() else { return };
    let Some(pooler) = PgBouncer::before(&server, 2) else { return };
    let mut nodes = Vec::new();
    for number in 0..4 {
        let builder = SqlStore::builder(pooler.url()).behind_pooler(true);
        nodes.push(builder.connect().await.unwrap());
        nodes[number].add(key(&format!("key_{number}")), "test").await.unwrap();
    }
    let asking: Vec<_> = (0..40)
        .map(|task| {
            let store = nodes[task % 4].clone();
            tokio::spawn(async move {
                for round in 0..50 {
                    let id = format!("key_{}", (task + round) % 4);
                    let found = store.find(&digest(&id)).await.unwrap().unwrap();
                    assert_eq!(*found.id(), id[..]);
                    assert!(store.find(&digest("unknown")).await.unwrap().is_none());
                }
            })
        })
        .collect();
    nodes[0].revoke("key_3", "test").await.unwrap();
    for asked in asking {
        asked.await.unwrap();
    }
    assert!(nodes[1].find(&digest("key_3")).await.unwrap().unwrap().is_revoked());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_behind_a_transaction_pooler_keeps_every_promise() {
    let Some(server) = Postgres::start() else { return };
    let Some(pooler) = PgBouncer::before(&server, 2) else { return };
    let said_by_url = format!("{}?pgbouncer=true&application_name=gate", pooler.url());
    store_suite(&SqlStore::connect(&said_by_url).await.unwrap()).await;
    // An application's own pool.
    let options: PgConnectOptions = pooler.url().parse().unwrap();
    let pool = PgPoolOptions::new().connect_with(options.extra_float_digits(None)).await.unwrap();
    let builder = SqlStoreBuilder::from_postgres(pool).prefix("own_").behind_pooler(true);
    store_suite(&builder.connect().await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lookup_through_a_transaction_pooler_is_one_round_trip() {
    const TRIP: Duration = Duration::from_millis(20);
    let Some(server) = Postgres::start() else { return };
    let Some(pooler) = PgBouncer::before(&server, 2) else { return };
    let relay = Distance::to(pooler.port(), TRIP).await;
    let builder = SqlStore::builder(url_at(relay.port())).behind_pooler(true).max_connections(1);
    let store = builder.connect().await.unwrap();
    store.add(key("good"), "test").await.unwrap();
    tokio::time::sleep(3 * TRIP).await;
    let trips = relay.trips();
    for _ in 0..5 {
        assert!(store.find(&digest("good")).await.unwrap().is_some());
        assert!(store.find(&digest("unknown")).await.unwrap().is_none());
    }
    tokio::time::sleep(3 * TRIP).await;
    assert_eq!(relay.trips() - trips, 10);
}

#[tokio::test]
async fn notices_pass_a_transaction_pooler_by() {
    let Some(server) = Postgres::start() else { return };
    let Some(pooler) = PgBouncer::before(&server, 2) else { return };
    let through = || SqlStore::builder(pooler.url()).behind_pooler(true);
    let deaf = through().connect().await.unwrap();
    assert!(deaf.invalidations().is_none(), "a pooler would take LISTEN and send nothing");
    let store = through().listen_url(server.url()).connect().await.unwrap();
    let mut changes = store.invalidations().unwrap();
    assert_eq!(changes.next().await.unwrap(), Invalidation::Everything);
    deaf.add(key("key"), "test").await.unwrap();
    assert_eq!(changes.next().await.unwrap(), Invalidation::Added);
}

#[tokio::test]
async fn a_pooler_that_nobody_spoke_of_is_named_as_a_cause() {
    let Some(server) = Postgres::start() else { return };
    let Some(pooler) = PgBouncer::before(&server, 2) else { return };
    let builder = SqlStore::builder(pooler.url()).lookup_timeout(Duration::from_secs(1));
    let error = builder.connect().await.unwrap_err();
    let told = format!("{error} {}", error.source().unwrap());
    assert!(told.contains("behind_pooler"), "{told}");
}

#[tokio::test]
async fn what_a_server_has_is_refused_for_sqlite() {
    let builder = SqlStore::builder("sqlite::memory:").listen_url("postgres://localhost/keys");
    let told = builder.connect().await.unwrap_err().to_string();
    assert!(told.contains("listen_url"), "{told}");
    let builder =
        SqlStore::builder("postgres://localhost/keys").listen_url("sqlite:secret-word.db");
    let error = builder.connect().await.unwrap_err();
    assert!(!format!("{error:?} {error}").contains("secret-word"));
}
