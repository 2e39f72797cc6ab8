//! Changes whose caller hung up, or whose beginning was refused: their transactions never reach the next user of a
//! connection.

use std::pin::pin;
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{Executor, PgPool};
use tower_api_key::key::Account;
use tower_api_key::store::KeyManager;
use tower_api_key_sqlx::{SqlStore, SqlStoreBuilder};

use crate::distance::Distance;
use crate::folder::Folder;
use crate::postgres::{Postgres, url_at};
use crate::sqlite;

const TRIP: Duration = Duration::from_millis(20);

/// Saves an account, and hangs up after so many quarters of a round trip.
async fn save_and_hang_up(store: &SqlStore, quarters: u32) {
    let account = Account::builder("acme").build().unwrap();
    let saving = pin!(store.save_account(account, "test"));
    let _ = tokio::time::timeout(TRIP * quarters / 4, saving).await;
}

/// Waits until no session of the server is in a transaction.
async fn no_transaction_is_left(look: &PgPool, quarters: u32) {
    let count = "SELECT COUNT(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'";
    let ended = async {
        while sqlx::query_scalar::<_, i64>(count).fetch_one(look).await.unwrap() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(10), ended).await;
    ended.unwrap_or_else(|_| panic!("a transaction is open after {quarters} quarters of a trip"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_abandoned_change_leaves_no_transaction() {
    let Some(server) = Postgres::start() else { return };
    let look = PgPool::connect(server.url()).await.unwrap();
    let relay = Distance::to(server.port(), TRIP).await;
    let url = url_at(relay.port());
    let store = SqlStore::builder(&url).max_connections(1).connect().await.unwrap();
    for quarters in 0..20 {
        save_and_hang_up(&store, quarters).await;
        no_transaction_is_left(&look, quarters).await;
        store.changes(0, 1).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_abandoned_change_swallows_no_writes_of_the_application() {
    let Some(server) = Postgres::start() else { return };
    let look = PgPool::connect(server.url()).await.unwrap();
    look.execute("CREATE TABLE own (id INTEGER)").await.unwrap();
    let relay = Distance::to(server.port(), TRIP).await;
    let pool = PgPoolOptions::new().max_connections(1).test_before_acquire(false);
    let pool = pool.connect(&url_at(relay.port())).await.unwrap();
    let store = SqlStore::from_postgres(pool.clone()).await.unwrap();
    for quarters in 0..20 {
        save_and_hang_up(&store, quarters).await;
        pool.execute("INSERT INTO own VALUES (1)").await.unwrap();
        no_transaction_is_left(&look, quarters).await;
        let kept = sqlx::query_scalar::<_, i64>("SELECT COUNT(*) FROM own").fetch_one(&look);
        assert_eq!(kept.await.unwrap(), i64::from(quarters) + 1, "a write was lost");
    }
}

/// The server begins the transaction, and refuses a later statement of its beginning.
#[tokio::test]
async fn a_change_whose_beginning_fails_leaves_no_failed_transaction() {
    let Some(server) = Postgres::start() else { return };
    let look = PgPool::connect(server.url()).await.unwrap();
    look.execute("CREATE SCHEMA shadow; CREATE TABLE own (id INTEGER)").await.unwrap();
    let options = PgConnectOptions::from_str(server.url()).unwrap();
    let options = options.options([("search_path", "shadow,public,pg_catalog")]);
    let pool = PgPoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
    let store = SqlStore::from_postgres(pool.clone()).await.unwrap();
    let account = || Account::builder("acme").build().unwrap();
    store.save_account(account(), "test").await.unwrap();
    let fails = "CREATE FUNCTION shadow.current_setting(text) RETURNS text LANGUAGE plpgsql \
                 AS 'BEGIN RAISE EXCEPTION ''no''; END'";
    look.execute(fails).await.unwrap();
    store.save_account(account(), "test").await.unwrap_err();
    pool.execute("INSERT INTO own VALUES (1)").await.unwrap();
    let kept = sqlx::query_scalar::<_, i64>("SELECT COUNT(*) FROM own").fetch_one(&look);
    assert_eq!(kept.await.unwrap(), 1, "the write was lost");
    look.execute("DROP FUNCTION shadow.current_setting(text)").await.unwrap();
    store.save_account(account(), "test").await.unwrap();
}

/// A database in memory ends with its last connection. One in a file refuses a second writer at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_or_abandoned_beginning_harms_no_sqlite_pool() {
    let folder = Folder::new();
    for url in ["sqlite::memory:", &sqlite(&folder)] {
        let options = SqliteConnectOptions::from_str(url).unwrap().busy_timeout(Duration::ZERO);
        let pool = SqlitePoolOptions::new().max_connections(2);
        let pool = pool.connect_with(options).await.unwrap();
        pool.execute("CREATE TABLE own (id INTEGER)").await.unwrap();
        let store = SqlStoreBuilder::from_sqlite(pool.clone()).connect().await.unwrap();
        let hasty = store.clone().with_change_timeout(2 * TRIP);
        let account = || Account::builder("acme").build().unwrap();
        for kept in 1..=5_i64 {
            let mut writing = pool.begin().await.unwrap();
            sqlx::query("INSERT INTO own VALUES (1)").execute(&mut *writing).await.unwrap();
            hasty.save_account(account(), "test").await.unwrap_err();
            writing.commit().await.unwrap();
            save_and_hang_up(&store, 0).await;
            // Waits for the end of the abandoned changes.
            drop([pool.acquire().await.unwrap(), pool.acquire().await.unwrap()]);
            store.save_account(account(), "test").await.unwrap();
            let found = sqlx::query_scalar::<_, i64>("SELECT COUNT(*) FROM own").fetch_one(&pool);
            assert_eq!(found.await.unwrap(), kept, "{url}");
        }
    }
}
