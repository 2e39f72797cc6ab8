//! Measures imports: of plain keys and of keys with all that lists filter by, with and without the indexes of lists.
//!
//! `KEYS=100000` takes fewer keys than a million, and `IMPORTS=PostgreSQL,plain` runs only what has these words in its
//! name. `AT_A_TIME=1000000` imports them in one step.

use std::env;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use tower_api_key::key::{Account, KeyRecord};
use tower_api_key::store::{KeyManager, NewKey};
use tower_api_key_sqlx::SqlStore;

use super::store::key;
use crate::folder::Folder;
use crate::postgres::Postgres;
use crate::{digest, sqlite};

/// The keys of one call, as the command line imports them.
const AT_A_TIME: u32 = 10_000;

fn at_a_time() -> u32 {
    env::var("AT_A_TIME").map_or(AT_A_TIME, |keys| keys.parse().unwrap())
}

/// What migration 0009 added for lists.
const LIST_INDEXES: [&str; 10] = [
    "live_keys_by_period",
    "live_keys_by_id",
    "live_keys_by_name",
    "live_keys_by_expiry",
    "off_keys_by_id",
    "off_keys_by_name",
    "off_keys_by_expiry",
    "revoked_keys_by_id",
    "revoked_keys_by_name",
    "revoked_keys_by_expiry",
];

/// Returns a key that has an id and an account only. Ten keys share an account.
fn plain(number: u32) -> NewKey {
    let id = format!("key_{number}");
    let account = Arc::new(Account::builder(format!("account_{}", number / 10)).build().unwrap());
    NewKey::new(digest(&id), KeyRecord::builder(&id, account).build().unwrap())
}

fn keys() -> u32 {
    env::var("KEYS").map_or(1_000_000, |keys| keys.parse().unwrap())
}

fn is_asked_for(name: &str) -> bool {
    env::var("IMPORTS").map_or(true, |only| only.split(',').all(|word| name.contains(word)))
}

/// Drops the indexes of lists.
async fn without_list_indexes(url: &str) {
    let drop = |index: &str| format!("DROP INDEX \"tower_api_key_{index}\";");
    let sql = sqlx::raw_sql(AssertSqlSafe(LIST_INDEXES.map(drop).concat()));
    if url.starts_with("postgres") {
        sql.execute(&mut PgConnection::connect(url).await.unwrap()).await.unwrap();
    } else {
        sql.execute(&mut SqliteConnection::connect(url).await.unwrap()).await.unwrap();
    }
}

/// Imports keys, and returns how long that took. Making the keys does not count.
async fn import(store: &SqlStore, make: fn(u32) -> NewKey) -> Duration {
    let mut took = Duration::ZERO;
    for start in (0..keys()).step_by(at_a_time() as usize) {
        let keys: Vec<_> = (start..keys().min(start + at_a_time())).map(make).collect();
        let (count, began) = (keys.len() as u64, Instant::now());
        assert_eq!(store.import(keys, "test").await.unwrap(), count);
        took += began.elapsed();
    }
    took
}

async fn is_measured(name: &str, url: &str, make: fn(u32) -> NewKey, has_indexes: bool) {
    let store = SqlStore::connect(url).await.unwrap();
    if !has_indexes {
        without_list_indexes(url).await;
    }
    let took = import(&store, make).await;
    let each = took / keys();
    println!("{name}: {} keys imported in {took:.2?}: {each:.1?} each", keys());
    store.close().await;
}

#[tokio::test]
#[ignore = "takes minutes, and says how long imports take"]
async fn imports_are_measured() {
    for (keys, make) in [("plain keys", plain as fn(u32) -> NewKey), ("keys with all filters", key)]
    {
        for has_indexes in [true, false] {
            let without = if has_indexes { "" } else { ", without the indexes of lists" };
            let [sqlite_name, postgres_name] =
                ["SQLite", "PostgreSQL"].map(|database| format!("{database}, {keys}{without}"));
            if is_asked_for(&sqlite_name) {
                let folder = Folder::new();
                is_measured(&sqlite_name, &sqlite(&folder), make, has_indexes).await;
            }
            if is_asked_for(&postgres_name)
                && let Some(server) = Postgres::start()
            {
                is_measured(&postgres_name, server.url(), make, has_indexes).await;
            }
        }
    }
}
