//! Keys in real databases: a SQLite file, and a PostgreSQL server of the test's own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod abandoned;
mod applications;
mod backups;
mod broken;
mod distance;
mod events;
mod feed;
mod files;
mod first_imports;
mod fleet;
mod folder;
mod grace;
mod imports;
mod listeners;
mod million;
mod outage;
mod peppers;
mod pgbouncer;
mod policies;
mod policy_agreement;
#[path = "../../../../tests/model/policy_model.rs"]
mod policy_model;
#[path = "../../../../tests/model/policy_steps.rs"]
mod policy_steps;
mod policy_sweep;
mod poolers;
mod pools;
mod postgres;
mod promises;
mod proof;
mod relay;
mod roles;
mod rotations;
mod server_limits;
mod shared_memory;
mod silence;
mod standbys;
mod tls;
mod trips;
mod unprefixed;
#[cfg(feature = "usage")]
mod usage;

use std::sync::Arc;

use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::key::{Account, KeyDigest, KeyHasher, KeyRecord};
use tower_api_key::store::{KeyManager, KeyStore, NewKey, Replica};
use tower_api_key_sqlx::SqlStore;

use folder::Folder;
use postgres::Postgres;

fn digest(text: &str) -> KeyDigest {
    KeyHasher::sha256().digest(text.as_bytes())
}

fn key(id: &str) -> NewKey {
    let account = Arc::new(Account::builder("acme").build().unwrap());
    NewKey::new(digest(id), KeyRecord::builder(id, account).build().unwrap())
}

fn sqlite(folder: &Folder) -> String {
    format!("sqlite:{}?mode=rwc", folder.path().join("keys.db").display())
}

#[tokio::test]
async fn a_store_tells_the_time_of_changes_by_its_clock() {
    let folder = Folder::new();
    let clock = ManualClock::starting_at(Timestamp::from_unix_seconds(1_000));
    let store = SqlStore::connect(&sqlite(&folder)).await.unwrap().with_clock(clock.clone());
    store.add(key("key"), "ada").await.unwrap();
    let [change] = &store.changes(0, 10).await.unwrap()[..] else { panic!("one change") };
    assert_eq!(change.at, Timestamp::from_unix_seconds(1_000));
}

/// What a log shows has no address in it, for that may have a password.
#[tokio::test]
async fn a_store_is_printed_without_its_address() {
    let builder = SqlStore::builder("postgres://ada:secret-word@127.0.0.1/keys").prefix("acme_");
    let printed = format!("{builder:?}");
    assert!(printed.contains("SqlStoreBuilder") && printed.contains("acme_"), "{printed}");
    assert!(!printed.contains("secret-word") && !printed.contains("127.0.0.1"), "{printed}");
    let store = SqlStore::connect("sqlite::memory:").await.unwrap();
    assert_eq!(format!("{store:?}"), "SqlStore(Sqlite)");
    let Some(server) = Postgres::start() else { return };
    let store = SqlStore::connect(server.url()).await.unwrap();
    assert_eq!(format!("{store:?}"), "SqlStore(Postgres)");
    assert_eq!(format!("{:?}", store.invalidations().unwrap()), "SqlInvalidations");
}

async fn outlives_a_connection(url: &str) {
    let (one, other) = tokio::join!(SqlStore::connect(url), SqlStore::connect(url));
    let (one, other) = (one.unwrap(), other.unwrap());
    one.add(key("shared"), "one").await.unwrap();
    assert!(other.find(&digest("shared")).await.unwrap().is_some());
    other.revoke("shared", "other").await.unwrap();
    assert!(one.find(&digest("shared")).await.unwrap().unwrap().is_revoked());
    one.close().await;
    other.close().await;
    let again = SqlStore::connect(url).await.unwrap();
    assert!(again.find(&digest("shared")).await.unwrap().unwrap().is_revoked());
    assert_eq!(again.changes(0, 10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn two_connections_to_sqlite_are_opened_at_once_and_see_each_other() {
    let folder = Folder::new();
    outlives_a_connection(&sqlite(&folder)).await;
}

#[tokio::test]
async fn two_connections_to_postgres_are_opened_at_once_and_see_each_other() {
    let Some(server) = Postgres::start() else { return };
    outlives_a_connection(server.url()).await;
}

async fn is_opened_by_many_at_once(url: &str) {
    let opening: Vec<_> = (0..8)
        .map(|_| {
            let url = url.to_owned();
            tokio::spawn(async move { SqlStore::connect(&url).await.map(drop) })
        })
        .collect();
    for opened in opening {
        opened.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_sqlite_is_opened_by_many_at_once() {
    for _ in 0..10 {
        let folder = Folder::new();
        is_opened_by_many_at_once(&sqlite(&folder)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_postgres_is_opened_by_many_at_once() {
    let Some(server) = Postgres::start() else { return };
    is_opened_by_many_at_once(server.url()).await;
}

#[tokio::test]
async fn a_wrong_address_is_told_without_its_password() {
    for url in [
        "postgres://ada:secret-word@127.0.0.1:1/keys",
        "mysql://ada:secret-word@127.0.0.1/keys",
        "sqlite:/nowhere/secret-word/keys.db",
        "secret-word",
    ] {
        let error = SqlStore::connect(url).await.unwrap_err();
        let mut told = format!("{error:?} {error}");
        let mut cause = std::error::Error::source(&error);
        while let Some(source) = cause {
            told = format!("{told} {source}");
            cause = source.source();
        }
        assert!(!told.contains("secret-word"), "{told}");
    }
}

async fn import_a_million(name: &str, store: &SqlStore) {
    const KEYS: usize = 1_000_000;
    const AT_A_TIME: usize = 10_000;
    let accounts: Vec<_> = (0..KEYS / 10)
        .map(|number| Arc::new(Account::builder(format!("account_{number}")).build().unwrap()))
        .collect();
    let began = std::time::Instant::now();
    for start in (0..KEYS).step_by(AT_A_TIME) {
        let keys = (start..start + AT_A_TIME).map(|number| {
            let id = format!("key_{number}");
            let record = KeyRecord::builder(&id, Arc::clone(&accounts[number / 10]));
            NewKey::new(digest(&id), record.build().unwrap())
        });
        let added = store.import(keys.collect(), "test").await.unwrap();
        assert_eq!(added, AT_A_TIME as u64);
    }
    println!("{name}: a million keys imported in {:.1?}", began.elapsed());
    let began = std::time::Instant::now();
    for number in (0..KEYS).step_by(1_000) {
        let found = store.find(&digest(&format!("key_{number}"))).await.unwrap().unwrap();
        assert_eq!(*found.id(), format!("key_{number}")[..]);
    }
    println!("{name}: a lookup among them takes {:.1?}", began.elapsed() / 1_000);
}

async fn copy_a_million(name: &str, store: &SqlStore) {
    let (began, replica) = (std::time::Instant::now(), Replica::new(store.clone()));
    tokio::spawn(replica.follow());
    replica.ready().await;
    println!("{name}: a million keys copied by a replica in {:.1?}", began.elapsed());
    assert_eq!(replica.len(), 1_000_000);
}

/// `cargo test --release -p tower-api-key-sqlx --all-features --test databases -- --ignored --nocapture`
#[tokio::test]
#[ignore = "takes a minute or two, and says how long"]
async fn a_million_keys_are_imported_and_copied() {
    let folder = Folder::new();
    let store = SqlStore::connect(&sqlite(&folder)).await.unwrap();
    import_a_million("SQLite", &store).await;
    copy_a_million("SQLite", &store).await;
    let Some(server) = Postgres::start() else { return };
    let store = SqlStore::connect(server.url()).await.unwrap();
    import_a_million("PostgreSQL", &store).await;
    copy_a_million("PostgreSQL", &store).await;
}
