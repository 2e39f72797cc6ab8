//! The size of a pool, its timeouts, and a pool of the application's own.

use std::error::Error;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::SqlitePoolOptions;
use tower_api_key::clock::Timestamp;
use tower_api_key::key::{Account, KeyRecordBuilder};
use tower_api_key::store::{Invalidation, Invalidations, KeyManager, KeyStore, StoreError};
use tower_api_key::testing::store_suite;
use tower_api_key_sqlx::{SqlStore, SqlStoreBuilder};

use crate::folder::Folder;
use crate::postgres::{Postgres, url_at};
use crate::{digest, key, sqlite};

const HOUR: Duration = Duration::from_secs(3_600);

/// Finds the cause among all causes of an error.
fn cause(error: &StoreError) -> Option<io::ErrorKind> {
    let mut next = error.source();
    while let Some(cause) = next {
        if let Some(error) = cause.downcast_ref::<io::Error>() {
            return Some(error.kind());
        }
        next = cause.source();
    }
    None
}

#[tokio::test]
async fn an_applications_postgres_pool_keeps_every_promise() {
    let Some(server) = Postgres::start() else { return };
    let pool = PgPoolOptions::new().max_connections(3).connect(server.url()).await.unwrap();
    let store = SqlStore::from_postgres(pool.clone()).await.unwrap();
    let mut changes = store.invalidations().unwrap().prove_every(HOUR);
    assert_eq!(changes.next().await.unwrap(), Invalidation::Everything);
    store_suite(&store).await;
    assert_ne!(changes.next().await.unwrap(), Invalidation::Everything);
    store.close().await;
    let one: i64 = sqlx::query_scalar("SELECT 1::bigint").fetch_one(&pool).await.unwrap();
    assert_eq!(one, 1, "the pool is the application's");
}

#[tokio::test]
async fn an_applications_sqlite_pool_keeps_every_promise() {
    let folder = Folder::new();
    let pool = SqlitePoolOptions::new().connect(&sqlite(&folder)).await.unwrap();
    let builder = SqlStoreBuilder::from_sqlite(pool.clone()).prefix("keyring_");
    let store = builder.connect().await.unwrap();
    assert!(store.invalidations().is_none());
    store_suite(&store).await;
    store.close().await;
    let keys = "SELECT COUNT(*) FROM keyring_keys";
    assert!(sqlx::query_scalar::<_, i64>(keys).fetch_one(&pool).await.unwrap() > 0);
    let told = SqlStoreBuilder::from_sqlite(pool).max_connections(4).connect().await.unwrap_err();
    assert!(told.to_string().contains("its own number"), "{told}");
}

/// References need not hold in an application's connections; what is deleted is gone all the same.
#[tokio::test]
async fn a_pool_without_foreign_keys_keeps_every_promise() {
    let options = "sqlite::memory:".parse::<sqlx::sqlite::SqliteConnectOptions>().unwrap();
    let pool = SqlitePoolOptions::new().max_connections(1);
    let pool = pool.connect_with(options.foreign_keys(false)).await.unwrap();
    store_suite(&SqlStore::from_sqlite(pool).await.unwrap()).await;
}

#[tokio::test]
async fn a_pool_has_the_size_that_is_set() {
    let Some(server) = Postgres::start() else { return };
    let make = sqlx::PgPool::connect(server.url()).await.unwrap();
    sqlx::raw_sql("CREATE ROLE few LOGIN SUPERUSER").execute(&make).await.unwrap();
    let url = server.url().replace("test@", "few@");
    let store = SqlStore::builder(&url).max_connections(2).connect().await.unwrap();
    store.add(key("key"), "test").await.unwrap();
    let asking: Vec<_> = (0..100)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.find(&digest("key")).await })
        })
        .collect();
    for found in asking {
        assert!(found.await.unwrap().unwrap().is_some());
    }
    let count = "SELECT COUNT(*) FROM pg_stat_activity WHERE usename = 'few'";
    let open: i64 = sqlx::query_scalar(count).fetch_one(&make).await.unwrap();
    assert!((1..=2).contains(&open), "{open} connections");
    assert!(SqlStore::builder(&url).max_connections(0).connect().await.is_err());
    // No time at all, and all of it.
    for timeout in [Duration::ZERO, Duration::MAX] {
        let _ = SqlStore::builder(&url)
            .lookup_timeout(timeout)
            .change_timeout(timeout)
            .keep_ended_secrets(timeout)
            .connect()
            .await;
    }
}

/// Returns the same store with as much time as a busy machine takes.
fn patient(store: &SqlStore) -> SqlStore {
    store.clone().with_lookup_timeout(Duration::from_secs(20))
}

#[tokio::test]
async fn a_pool_that_is_used_up_says_so() {
    let Some(server) = Postgres::start() else { return };
    let pool = PgPoolOptions::new().max_connections(2).connect(server.url()).await.unwrap();
    let store = SqlStore::from_postgres(pool.clone()).await.unwrap();
    // An eighth of it is for finding out why, which opens a connection.
    let store = store.with_lookup_timeout(Duration::from_secs(4));
    let busy = (pool.acquire().await.unwrap(), pool.acquire().await.unwrap());
    let told = store.find(&digest("key")).await.unwrap_err().to_string();
    assert!(told.contains("none of 2 connections") && told.contains("max_connections"), "{told}");
    drop(busy);
    patient(&store).find(&digest("key")).await.unwrap();
}

/// Nothing is wrong with a connection over which a database has said no.
#[tokio::test]
async fn a_change_that_the_database_refuses_costs_no_connection() {
    let Some(server) = Postgres::start() else { return };
    let pool = PgPoolOptions::new().max_connections(1).connect(server.url()).await.unwrap();
    let store = SqlStore::from_postgres(pool.clone()).await.unwrap();
    let refusing = "ALTER TABLE tower_api_key_keys ADD CONSTRAINT no CHECK (id <> 'other')";
    sqlx::raw_sql(refusing).execute(&pool).await.unwrap();
    let backend = async || {
        let backend = sqlx::query_scalar::<_, i32>("SELECT pg_backend_pid()");
        backend.fetch_one(&pool).await.unwrap()
    };
    let before = backend().await;
    assert!(store.add(key("other"), "test").await.is_err());
    store.add(key("key"), "test").await.unwrap();
    assert_eq!(backend().await, before);
}

#[tokio::test]
async fn a_refused_connection_is_told_as_such() {
    let url = "postgres://ada:secret-word@127.0.0.1:1/keys";
    let began = Instant::now();
    let builder = SqlStore::builder(url).lookup_timeout(Duration::from_millis(400));
    let error = builder.connect().await.unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(2));
    assert_eq!(cause(&error), Some(io::ErrorKind::ConnectionRefused), "{error:?}");
    let told = error.to_string();
    assert!(told.contains("connection refused") && told.contains("host and port"), "{told}");
    assert!(!format!("{error:?} {told}").contains("secret-word"));
}

#[tokio::test]
async fn a_server_that_went_away_is_told_as_refused() {
    let Some(mut server) = Postgres::start() else { return };
    let store = SqlStore::connect(server.url()).await.unwrap();
    let store = store.with_lookup_timeout(Duration::from_secs(1));
    let mut changes = store.invalidations().unwrap().prove_every(HOUR);
    changes.next().await.unwrap();
    server.kill();
    let asking = (0..12).map(|_| store.find(&digest("key")));
    for asked in asking.collect::<Vec<_>>() {
        let error = asked.await.unwrap_err();
        assert_eq!(cause(&error), Some(io::ErrorKind::ConnectionRefused), "{error}");
    }
    let _ = changes.next().await;
    let told = changes.next().await.unwrap_err().to_string();
    assert!(told.contains("connection refused"), "{told}");
    server.start_again();
    patient(&store).find(&digest("key")).await.unwrap();
}

#[tokio::test]
async fn what_a_server_refuses_is_told_with_what_helps() {
    let Some(server) = Postgres::start() else { return };
    let missing = url_at(server.port()).replace("/postgres", "/nowhere");
    let make = sqlx::PgPool::connect(server.url()).await.unwrap();
    sqlx::raw_sql("CREATE ROLE lone LOGIN CONNECTION LIMIT 0").execute(&make).await.unwrap();
    let lone = server.url().replace("test@", "lone@");
    for (url, code, helps) in [
        (missing.as_str(), "3D000", "create that database"),
        (&server.url().replace("test@", "nobody@"), "28000", "user and password"),
        (&lone, "53300", "max_connections"),
    ] {
        let builder = SqlStore::builder(url).lookup_timeout(Duration::from_secs(2));
        let told = builder.connect().await.unwrap_err().to_string();
        assert!(told.contains(code) && told.contains(helps), "{url}: {told}");
    }
}

/// Polls once, and hangs up.
async fn is_left(asked: impl Future<Output = impl Sized>) -> bool {
    let mut asked = pin!(asked);
    poll_fn(|context| Poll::Ready(asked.as_mut().poll(context).is_pending())).await
}

/// A database in memory ends with its last connection, which a client that hangs up must not close.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_hangs_up_ends_no_database_in_memory() {
    let pool = SqlitePoolOptions::new().max_connections(1);
    let pool = pool.connect("sqlite::memory:").await.unwrap();
    sqlx::query("CREATE TABLE own (id INTEGER)").execute(&pool).await.unwrap();
    let store = SqlStoreBuilder::from_sqlite(pool.clone()).connect().await.unwrap();
    store.add(key("key"), "test").await.unwrap();
    let mut left = 0;
    for _ in 0..20 {
        let secret = digest("key");
        left += usize::from(is_left(store.find(&secret)).await);
        left += usize::from(is_left(store.changes(0, 10)).await);
        // After ever more of a lookup.
        for polls in 1..6 {
            let mut asked = pin!(store.find(&secret));
            for _ in 0..polls {
                if !is_left(asked.as_mut()).await {
                    break;
                }
                std::thread::sleep(Duration::from_micros(40));
            }
        }
        let account = || Account::builder("other").build().unwrap();
        left += usize::from(is_left(store.save_account(account(), "test")).await);
        // In the middle of a change.
        let limit = Duration::from_millis(1);
        let _ = tokio::time::timeout(limit, store.save_account(account(), "test")).await;
        assert!(store.find(&secret).await.unwrap().is_some());
        store.save_account(account(), "test").await.unwrap();
    }
    assert!(left > 0, "nobody hung up");
    sqlx::query("SELECT * FROM own").fetch_all(&pool).await.unwrap();
}

/// An application, or its administrator, may want another isolation for all sessions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_isolation_that_others_want_is_in_nobodys_way() {
    let Some(server) = Postgres::start() else { return };
    for isolation in ["repeatable%20read", "serializable"] {
        let url = format!(
            "{}?options=-c%20default_transaction_isolation%3D{}",
            server.url(),
            isolation.replace("%20", "%5C%20")
        );
        let connect = || {
            let prefix = isolation.chars().take(6).collect::<String>() + "_";
            let builder = SqlStore::builder(&url).prefix(prefix);
            tokio::spawn(async move { builder.connect().await })
        };
        for connected in [(); 8].map(|()| connect()) {
            connected.await.unwrap().unwrap();
        }
        let store = connect().await.unwrap().unwrap();
        store.add(key("key"), "test").await.unwrap();
        let changing: Vec<_> = (0..40u64)
            .map(|number| {
                let store = store.clone();
                tokio::spawn(async move {
                    let at = Timestamp::from_unix_seconds(number);
                    let name = Box::new(move |key: KeyRecordBuilder| key.name(number.to_string()));
                    match number % 3 {
                        0 => store.note_uses(vec![(digest("key"), at)]).await,
                        1 => store.update("key", name, "test").await.map(|_| ()),
                        _ => store.add(key(&format!("key_{number}")), "test").await,
                    }
                })
            })
            .collect();
        for changed in changing {
            changed.await.unwrap().unwrap();
        }
    }
}
