//! That tables of an earlier release are brought up to date, with what they hold.

use sqlx::AssertSqlSafe;

use super::SqlStore;
use super::plan::{folder, postgres};
use crate::key::{Account, KeyDigest, KeyHasher};
use crate::store::{KeyManager, KeyStore};

fn digest() -> KeyDigest {
    KeyHasher::sha256().digest(b"secret")
}

/// Takes the tables back to how the first release made them, with an account and a key of that time.
async fn make_old(url: &str, blob: fn(&str) -> String) {
    let store = SqlStore::connect(url).await.unwrap();
    let bytes =
        digest().as_bytes().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    let secret = format!(
        "INSERT INTO secrets (digest, key_id, created) VALUES ({}, 'key_1', 5)",
        blob(&bytes)
    );
    for statement in [
        "ALTER TABLE accounts DROP COLUMN plan",
        "DELETE FROM _sqlx_migrations WHERE version > 1",
        "INSERT INTO accounts (id, disabled, scopes, quotas) VALUES ('acme', 0, '[\"read\"]', NULL)",
        "INSERT INTO keys (id, account, name, description, networks, metadata, disabled, revoked, \
         created) VALUES ('key_1', 'acme', '', '', '[]', '{}', 0, 0, 5)",
        &secret,
    ] {
        sqlx::query(AssertSqlSafe(statement.to_owned())).execute(&store.pool).await.unwrap();
    }
    store.close().await;
}

/// Several processes start at once, as when a new release is rolled out.
async fn is_brought_up_to_date(url: &str) {
    let connect = || SqlStore::connect(url);
    let (store, second, third, fourth) = tokio::join!(connect(), connect(), connect(), connect());
    let store = store.unwrap();
    for other in [second, third, fourth] {
        other.unwrap().close().await;
    }
    let found = store.find(&digest()).await.unwrap().unwrap();
    assert!(found.scopes().contains("read"));
    assert_eq!(found.account().plan(), None);
    let gold = Account::builder("acme").plan("gold").build().unwrap();
    store.save_account(gold, "ada").await.unwrap();
    let found = store.find(&digest()).await.unwrap().unwrap();
    assert_eq!(found.account().plan().unwrap(), "gold");
    store.close().await;
}

#[tokio::test]
async fn an_older_sqlite_file_is_brought_up_to_date() {
    let folder = folder::Folder::new();
    let url = format!("sqlite:{}", folder.path().join("keys.db").display());
    make_old(&url, |bytes| format!("X'{bytes}'")).await;
    is_brought_up_to_date(&url).await;
}

#[tokio::test]
async fn an_older_postgres_database_is_brought_up_to_date() {
    let Some(server) = postgres::Postgres::start() else { return };
    make_old(server.url(), |bytes| format!("'\\x{bytes}'")).await;
    is_brought_up_to_date(server.url()).await;
}
