//! Backups as `docs/postgresql.md` says, and what they bring back.

use std::process::{Command, Stdio};

use sqlx::SqlitePool;
use tower_api_key::store::{KeyManager, KeyStore};
use tower_api_key_sqlx::SqlStore;

use crate::folder::Folder;
use crate::postgres::Postgres;
use crate::{digest, key, sqlite};

/// A store whose key `gone` is revoked after the backup.
async fn before(store: &SqlStore) {
    for id in ["good", "revoked", "gone"] {
        store.add(key(id), "test").await.unwrap();
    }
    store.revoke("revoked", "test").await.unwrap();
}

async fn is_as_it_was(store: &SqlStore) {
    let revoked =
        async |id: &str| store.find(&digest(id)).await.unwrap().map(|record| record.is_revoked());
    assert_eq!(revoked("good").await, Some(false));
    assert_eq!(revoked("revoked").await, Some(true));
    // A backup does not know what was revoked since: it must be revoked again.
    assert_eq!(revoked("gone").await, Some(false));
    assert_eq!(revoked("late").await, None);
    let last = store.changes(0, 100).await.unwrap().last().unwrap().sequence;
    store.revoke("gone", "test").await.unwrap();
    assert_eq!(revoked("gone").await, Some(true));
    store.add(key("late"), "test").await.unwrap();
    let changes = store.changes(last, 100).await.unwrap();
    assert_eq!(changes.len(), 2, "the trail goes on behind its last number");
}

#[tokio::test]
async fn a_dump_of_postgres_is_restored() {
    let (Some(server), Some(other)) = (Postgres::start(), Postgres::start()) else { return };
    let store = SqlStore::connect(server.url()).await.unwrap();
    before(&store).await;
    let mut dump = Command::new(server.program("pg_dump"))
        .args(["--no-owner", "--table=tower_api_key_*", server.url()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let restored = Command::new(other.program("psql"))
        .args(["--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", other.url()])
        .stdin(dump.stdout.take().unwrap())
        .output()
        .unwrap();
    assert!(dump.wait().unwrap().success());
    assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
    store.revoke("gone", "test").await.unwrap();
    store.add(key("late"), "test").await.unwrap();
    is_as_it_was(&SqlStore::connect(other.url()).await.unwrap()).await;
}

#[tokio::test]
async fn a_copy_of_sqlite_is_restored() {
    let folder = Folder::new();
    let store = SqlStore::connect(&sqlite(&folder)).await.unwrap();
    before(&store).await;
    let copy = folder.path().join("copy.db").display().to_string();
    let pool = SqlitePool::connect(&sqlite(&folder)).await.unwrap();
    sqlx::query("VACUUM INTO $1").bind(&copy).execute(&pool).await.unwrap();
    store.revoke("gone", "test").await.unwrap();
    store.add(key("late"), "test").await.unwrap();
    is_as_it_was(&SqlStore::connect(&format!("sqlite:{copy}")).await.unwrap()).await;
}
