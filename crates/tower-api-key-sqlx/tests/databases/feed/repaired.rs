//! A broken row of an account makes its keys unreadable in a replica, until the account is saved.

use sqlx::{PgPool, SqlitePool};
use tower_api_key::key::{Account, KeyRecord};
use tower_api_key::store::{KeyManager, NewKey};
use tower_api_key_sqlx::SqlStore;

use super::replicas::{NodeAnswer, ask, node, until};
use crate::folder::Folder;
use crate::postgres::Postgres;
use crate::{digest, key, sqlite};

/// More than a page of one account holds.
const KEYS: usize = 10_050;
const BREAK: &str = "UPDATE tower_api_key_accounts SET scopes = 'junk' WHERE id = 'acme'";
const REMOVE: &str =
    "PRAGMA foreign_keys = OFF; DELETE FROM tower_api_key_accounts WHERE id = 'acme'";

async fn a_saved_account_makes_all_its_keys_serve(url: &str, execute: impl AsyncFn(&'static str)) {
    let store = SqlStore::connect(url).await.unwrap();
    let keys = (0..KEYS).map(|number| key(&format!("key_{number}")));
    store.import(keys.collect(), "test").await.unwrap();
    let fine = KeyRecord::builder("fine", Account::builder("other").build().unwrap());
    let fine = NewKey::new(digest("fine"), fine.build().unwrap());
    store.add(fine, "test").await.unwrap();
    execute(BREAK).await;
    let node = node(url).await;
    assert_eq!(ask(&node, "key_7").await, NodeAnswer::Unavailable);
    assert_eq!(ask(&node, "fine").await, NodeAnswer::Serves);
    store.save_account(Account::builder("acme").build().unwrap(), "test").await.unwrap();
    for number in 0..KEYS {
        until(&node, &format!("key_{number}"), NodeAnswer::Serves).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_saved_account_of_sqlite_makes_all_its_keys_serve() {
    let folder = Folder::new();
    let url = sqlite(&folder);
    SqlStore::connect(&url).await.unwrap();
    let pool = SqlitePool::connect(&url).await.unwrap();
    let execute = async |sql| drop(sqlx::raw_sql(sql).execute(&pool).await.unwrap());
    a_saved_account_makes_all_its_keys_serve(&url, execute).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_saved_account_of_postgres_makes_all_its_keys_serve() {
    let Some(server) = Postgres::start() else { return };
    SqlStore::connect(server.url()).await.unwrap();
    let pool = PgPool::connect(server.url()).await.unwrap();
    let execute = async |sql| drop(sqlx::raw_sql(sql).execute(&pool).await.unwrap());
    a_saved_account_makes_all_its_keys_serve(server.url(), execute).await;
}

/// The row of the account is gone. A key that makes it anew is the only change that says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_makes_its_account_anew_makes_the_others_serve() {
    let folder = Folder::new();
    let url = sqlite(&folder);
    let store = SqlStore::connect(&url).await.unwrap();
    store.add(key("one"), "test").await.unwrap();
    let pool = SqlitePool::connect(&url).await.unwrap();
    sqlx::raw_sql(REMOVE).execute(&pool).await.unwrap();
    let node = node(&url).await;
    assert_eq!(ask(&node, "one").await, NodeAnswer::Unavailable);
    store.add(key("two"), "test").await.unwrap();
    until(&node, "two", NodeAnswer::Serves).await;
    until(&node, "one", NodeAnswer::Serves).await;
}

/// The keys of a deleted account are unknown, even those that could not be read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unreadable_keys_go_with_their_account() {
    let folder = Folder::new();
    let url = sqlite(&folder);
    let store = SqlStore::connect(&url).await.unwrap();
    store.add(key("one"), "test").await.unwrap();
    let pool = SqlitePool::connect(&url).await.unwrap();
    sqlx::raw_sql(BREAK).execute(&pool).await.unwrap();
    let node = node(&url).await;
    assert_eq!(ask(&node, "one").await, NodeAnswer::Unavailable);
    store.delete_account("acme", "test").await.unwrap();
    until(&node, "one", NodeAnswer::Refuses).await;
}
