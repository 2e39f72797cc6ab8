//! A database that the first release has made is taken over, and nothing that only looks like one.

use std::borrow::Cow;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, PgPool, SqlSafeStr, SqlitePool};
use tower_api_key::key::Account;
use tower_api_key::store::{KeyFilter, KeyManager, KeyStore};
use tower_api_key_sqlx::SqlStore;

use crate::folder::Folder;
use crate::postgres::Postgres;
use crate::{digest, key, sqlite};

const SQLITE: &str = include_str!("../../migrations/unprefixed/0001_keys.sqlite.sql");
const POSTGRES: &str = include_str!("../../migrations/unprefixed/0001_keys.postgres.sql");
const PLANS: &str = include_str!("../../migrations/unprefixed/0002_plans.sql");

/// What the first release did when it connected.
fn first_release(keys: &'static str, steps: usize) -> Migrator {
    let step = |(version, name, sql): (i64, &'static str, &'static str)| {
        let sql = sql.into_sql_str();
        Migration::new(version, Cow::Borrowed(name), MigrationType::Simple, sql, false)
    };
    let steps = [(1, "keys", keys), (2, "plans", PLANS)].into_iter().take(steps);
    Migrator::with_migrations(steps.map(step).collect())
}

/// What it kept: a key with two secrets, one of them ended, and two lines of the trail.
fn rows(blob: fn(&str) -> String) -> String {
    let hex = |text: &str| blob(&digest(text).to_hex());
    format!(
        "INSERT INTO accounts (id, disabled, scopes, quotas) VALUES ('acme', 0, '[\"read\"]', NULL); \
         INSERT INTO keys (id, account, name, description, networks, metadata, disabled, revoked, \
         created) VALUES ('key_1', 'acme', 'two' || {line}, '', '[]', '{{}}', 0, 0, 5); \
         INSERT INTO secrets (digest, key_id, created, expires) VALUES ({}, 'key_1', 5, 9), \
         ({}, 'key_1', 6, NULL); \
         INSERT INTO changes (at, author, action, key_id, account) VALUES \
         (5, 'ada', 'key_added', 'key_1', 'acme'), (6, 'ada', 'key_rotated', 'key_1', 'acme')",
        hex("old"),
        hex("new"),
        line = "'\nlines'",
    )
}

fn sqlite_blob(hex: &str) -> String {
    format!("X'{hex}'")
}

fn postgres_blob(hex: &str) -> String {
    format!("'\\x{hex}'")
}

/// Several processes start at once, as when a new release is rolled out.
async fn is_taken_over(connect: impl AsyncFn() -> SqlStore) {
    let (store, second, third) = tokio::join!(connect(), connect(), connect());
    second.close().await;
    third.close().await;
    let found = store.find(&digest("new")).await.unwrap().unwrap();
    assert!(found.scopes().contains("read"));
    assert_eq!(found.name(), "two\nlines", "what no new name may have is still read");
    assert!(store.find(&digest("old")).await.unwrap().unwrap().expires().is_some());
    assert_eq!(store.changes(0, 10).await.unwrap().len(), 2);
    let gold = Account::builder("acme").plan("gold").scopes(["read"]).build().unwrap();
    store.save_account(gold, "ada").await.unwrap();
    assert_eq!(
        store.find(&digest("new")).await.unwrap().unwrap().account().plan().unwrap(),
        "gold"
    );
    store.update("key_1", Box::new(|key| key.kind("partner")), "ada").await.unwrap();
    store.add(key("another"), "ada").await.unwrap();
    let far = tower_api_key::clock::Timestamp::from_unix_seconds(4_000_000_000);
    store.rotate("another", digest("another 2"), far, "ada").await.unwrap();
    assert_eq!(store.list(&KeyFilter::default(), None, 10).await.unwrap().len(), 2);
    let lines = store.changes(2, 10).await.unwrap();
    assert!(lines.first().unwrap().sequence > 2 && lines.len() == 4, "the trail goes on");
    store.delete_account("acme", "ada").await.unwrap();
    assert!(store.find(&digest("new")).await.unwrap().is_none());
    store.close().await;
    connect().await.close().await;
}

#[tokio::test]
async fn a_sqlite_file_of_the_first_release_is_taken_over() {
    for (steps, prefix) in [(2, "tower_api_key_"), (1, "tower_api_key_"), (2, "own_")] {
        let folder = Folder::new();
        let url = sqlite(&folder);
        let pool = SqlitePool::connect(&url).await.unwrap();
        first_release(SQLITE, steps).run(&pool).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(rows(sqlite_blob))).execute(&pool).await.unwrap();
        is_taken_over(async || SqlStore::builder(&url).prefix(prefix).connect().await.unwrap())
            .await;
        let old = "SELECT COUNT(*) FROM sqlite_master \
                   WHERE name IN ('keys_of_account', 'secrets_of_key')";
        assert_eq!(sqlx::query_scalar::<_, i64>(old).fetch_one(&pool).await.unwrap(), 0);
        // The names are an application's again.
        first_release(SQLITE, 2).run(&pool).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(rows(sqlite_blob))).execute(&pool).await.unwrap();
    }
}

#[tokio::test]
async fn a_postgres_database_of_the_first_release_is_taken_over() {
    for (steps, schema) in [(2, None), (1, None), (2, Some("keyring"))] {
        let Some(server) = Postgres::start() else { return };
        let pool = PgPool::connect(server.url()).await.unwrap();
        first_release(POSTGRES, steps).run(&pool).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(rows(postgres_blob))).execute(&pool).await.unwrap();
        sqlx::raw_sql("CREATE ROLE reader; GRANT SELECT ON keys TO reader")
            .execute(&pool)
            .await
            .unwrap();
        is_taken_over(async || {
            let builder = SqlStore::builder(server.url());
            let builder = schema.map(|schema| builder.schema(schema));
            builder.unwrap_or_else(|| SqlStore::builder(server.url())).connect().await.unwrap()
        })
        .await;
        let table = format!("{}.tower_api_key_keys", schema.unwrap_or("public"));
        let granted: bool =
            sqlx::query_scalar("SELECT has_table_privilege('reader', $1, 'SELECT')")
                .bind(table)
                .fetch_one(&pool)
                .await
                .unwrap();
        assert!(granted, "what was granted stays");
        let old = "SELECT COUNT(*) FROM pg_indexes \
                   WHERE indexname IN ('keys_of_account', 'secrets_of_key', 'accounts_pkey')";
        assert_eq!(sqlx::query_scalar::<_, i64>(old).fetch_one(&pool).await.unwrap(), 0);
        first_release(POSTGRES, 2).run(&pool).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(rows(postgres_blob))).execute(&pool).await.unwrap();
    }
}

/// What an earlier release did to an application's database: our rows, and not all tables ours.
#[tokio::test]
async fn a_table_that_only_looks_like_it_is_left_alone() {
    for change in [
        "ALTER TABLE accounts ADD COLUMN email TEXT",
        "ALTER TABLE accounts RENAME COLUMN disabled TO enabled",
        "DROP TABLE changes",
        "DROP TABLE secrets; CREATE TABLE secrets (what TEXT)",
    ] {
        let folder = Folder::new();
        let url = sqlite(&folder);
        let pool = SqlitePool::connect(&url).await.unwrap();
        first_release(SQLITE, 2).run(&pool).await.unwrap();
        sqlx::raw_sql(change).execute(&pool).await.unwrap();
        let everything =
            "SELECT group_concat(sql) FROM (SELECT sql FROM sqlite_master ORDER BY name)";
        let before: String = sqlx::query_scalar(everything).fetch_one(&pool).await.unwrap();
        let told = SqlStore::connect(&url).await.unwrap_err().to_string();
        assert!(told.contains("was changed since"), "{change}: {told}");
        let after: String = sqlx::query_scalar(everything).fetch_one(&pool).await.unwrap();
        assert_eq!(before, after, "{change}: nothing is touched");
        let rows = "SELECT COUNT(*) FROM _sqlx_migrations";
        assert_eq!(sqlx::query_scalar::<_, i64>(rows).fetch_one(&pool).await.unwrap(), 2);
    }
}

/// An application's own tables of exactly these columns, which it has migrated by itself.
#[tokio::test]
async fn an_applications_own_tables_are_not_taken_over() {
    let folder = Folder::new();
    let url = sqlite(&folder);
    let pool = SqlitePool::connect(&url).await.unwrap();
    sqlx::raw_sql(SQLITE).execute(&pool).await.unwrap();
    let step = |sql: &'static str| {
        let sql = sql.into_sql_str();
        Migration::new(1, Cow::Borrowed("own"), MigrationType::Simple, sql, false)
    };
    let own = Migrator::with_migrations(vec![step("CREATE TABLE other (id INTEGER)")]);
    own.run(&pool).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(rows(sqlite_blob))).execute(&pool).await.unwrap();
    let store = SqlStore::connect(&url).await.unwrap().with_lookup_timeout(Duration::from_secs(5));
    assert!(store.find(&digest("new")).await.unwrap().is_none());
    let keys = "SELECT COUNT(*) FROM keys";
    assert_eq!(sqlx::query_scalar::<_, i64>(keys).fetch_one(&pool).await.unwrap(), 1);
    own.run(&pool).await.unwrap();
}

/// The first release made no index, and no sequence, where an application had one of that name.
#[tokio::test]
async fn an_applications_own_indexes_are_left_alone() {
    const OWN: &str = "CREATE TABLE own (a TEXT, b TEXT); \
                       CREATE UNIQUE INDEX keys_of_account ON own (a, b); \
                       CREATE INDEX secrets_of_key ON own (b)";
    let folder = Folder::new();
    let url = sqlite(&folder);
    let pool = SqlitePool::connect(&url).await.unwrap();
    sqlx::raw_sql(OWN).execute(&pool).await.unwrap();
    first_release(SQLITE, 2).run(&pool).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(rows(sqlite_blob))).execute(&pool).await.unwrap();
    is_taken_over(async || SqlStore::connect(&url).await.unwrap()).await;
    let indexes = "SELECT group_concat(name || ' on ' || tbl_name) FROM (SELECT name, tbl_name \
                   FROM sqlite_master WHERE (name LIKE '%keys_of_account' OR name LIKE '%secrets_of_key') \
                   AND type = 'index' ORDER BY name)";
    let told: String = sqlx::query_scalar(indexes).fetch_one(&pool).await.unwrap();
    let expected = "keys_of_account on own,secrets_of_key on own,\
                    tower_api_key_keys_of_account on tower_api_key_keys,\
                    tower_api_key_secrets_of_key on tower_api_key_secrets";
    assert_eq!(told, expected);

    let Some(server) = Postgres::start() else { return };
    let pool = PgPool::connect(server.url()).await.unwrap();
    let sequence = "; CREATE SEQUENCE changes_sequence_seq; CREATE INDEX accounts_pkey ON own (a)";
    sqlx::raw_sql(AssertSqlSafe(OWN.to_owned() + sequence)).execute(&pool).await.unwrap();
    first_release(POSTGRES, 2).run(&pool).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(rows(postgres_blob))).execute(&pool).await.unwrap();
    is_taken_over(async || SqlStore::connect(server.url()).await.unwrap()).await;
    let indexes = "SELECT string_agg(indexname || ' on ' || tablename, ',' ORDER BY indexname) \
                   FROM pg_indexes WHERE indexname LIKE '%keys_of_account' \
                   OR indexname LIKE '%secrets_of_key' OR indexname = 'accounts_pkey'";
    let told: String = sqlx::query_scalar(indexes).fetch_one(&pool).await.unwrap();
    assert_eq!(told, format!("accounts_pkey on own,{expected}"));
    sqlx::raw_sql("SELECT nextval('changes_sequence_seq')").execute(&pool).await.unwrap();
}
