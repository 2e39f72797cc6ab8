//! Tests with `EXPLAIN` that a lookup uses primary keys.

use super::SqlStore;
use super::statement::Statement;
use tower_api_key::key::{Account, KeyHasher, KeyRecord};
use tower_api_key::store::{KeyManager, NewKey};

#[path = "../tests/databases/folder.rs"]
pub(super) mod folder;
#[allow(dead_code)]
#[path = "../tests/databases/postgres.rs"]
pub(super) mod postgres;

/// Returns the plan of a gate's lookup among 5,000 keys.
async fn plan(store: &SqlStore, explain: &str) -> String {
    let key = |number: u32| {
        let account = Account::builder(format!("account_{}", number / 2)).build().unwrap();
        let id = format!("key_{number}");
        let digest = KeyHasher::sha256().digest(id.as_bytes());
        NewKey::new(digest, KeyRecord::builder(id, account).build().unwrap())
    };
    store.import((0..5_000).map(key).collect(), "test").await.unwrap();
    let mut connection = store.pool.acquire().await.unwrap();
    connection.execute(Statement::from("ANALYZE")).await.unwrap();
    let digest = KeyHasher::sha256().digest(b"key_7").as_bytes().to_vec();
    let find = store.queries.find.as_str();
    let explained = Statement::made(format!("{explain} {find}")).bind(digest);
    let rows = connection.fetch(explained).await.unwrap();
    let column = if explain == "EXPLAIN" { "QUERY PLAN" } else { "detail" };
    let text = |row: &super::driver::Row| row.text(column).unwrap().unwrap();
    rows.iter().map(text).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn sqlite_looks_up_by_primary_keys() {
    let folder = folder::Folder::new();
    let url = format!("sqlite:{}?mode=rwc", folder.path().join("keys.db").display());
    let plan = plan(&SqlStore::connect(&url).await.unwrap(), "EXPLAIN QUERY PLAN").await;
    assert_eq!(plan.matches("USING PRIMARY KEY").count(), 3, "{plan}");
    assert!(!plan.contains("SCAN"), "{plan}");
}

#[tokio::test]
async fn postgres_looks_up_by_primary_keys() {
    let Some(server) = postgres::Postgres::start() else { return };
    let plan = plan(&SqlStore::connect(server.url()).await.unwrap(), "EXPLAIN").await;
    for index in
        ["secrets_pkey", "keys_pkey", "accounts_pkey"].map(|name| format!("tower_api_key_{name}"))
    {
        assert!(plan.contains(&format!("Index Scan using {index}")), "{plan}");
    }
}
