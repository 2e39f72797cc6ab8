//! A database that an application has, too: neither's tables nor migrations are in the other's way.

use std::borrow::Cow;
use std::error::Error;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, PgPool, SqlSafeStr, SqlitePool};
use tower_api_key::store::{KeyManager, KeyStore, StoreError};
use tower_api_key_sqlx::SqlStore;

use crate::folder::Folder;
use crate::postgres::Postgres;
use crate::{digest, key, sqlite};

/// Tables of an application, with all the names that a store of keys would think of.
const TABLES: &str = "CREATE TABLE accounts (id TEXT PRIMARY KEY, email TEXT); \
     INSERT INTO accounts VALUES ('acme', 'ada@acme.example'); \
     CREATE TABLE keys (id TEXT PRIMARY KEY, piano TEXT); \
     INSERT INTO keys VALUES ('k', 'white'); \
     CREATE TABLE secrets (what TEXT); INSERT INTO secrets VALUES ('none'); \
     CREATE TABLE changes (sequence INTEGER, what TEXT); INSERT INTO changes VALUES (7, 'x')";

/// An application's migrator, with versions such as sqlx's programs give.
fn migrator(versions: &[i64]) -> Migrator {
    let step = |version: &i64| {
        let sql = format!("CREATE TABLE of_step_{version} (id INTEGER)");
        let sql = AssertSqlSafe(sql).into_sql_str();
        Migration::new(*version, Cow::Borrowed("own"), MigrationType::Simple, sql, false)
    };
    Migrator::with_migrations(versions.iter().map(step).collect())
}

const VERSIONS: [&[i64]; 3] = [&[1], &[1, 2], &[20_240_921_151_751]];

/// Adds, finds and deletes, in the store of keys alone.
async fn is_used(store: &SqlStore) {
    store.add(key("key"), "test").await.unwrap();
    assert!(store.find(&digest("key")).await.unwrap().is_some());
    store.delete_account("acme", "test").await.unwrap();
    assert!(store.find(&digest("key")).await.unwrap().is_none());
    store.add(key("key"), "test").await.unwrap();
}

const TOLD: &str = "SELECT (SELECT email FROM accounts WHERE id = 'acme') || ' ' || \
     (SELECT piano FROM keys) || ' ' || (SELECT what FROM secrets) || ' ' || \
     (SELECT what FROM changes)";
const UNTOUCHED: &str = "ada@acme.example white none x";

#[tokio::test]
async fn tables_of_an_application_in_sqlite_are_left_alone() {
    let folder = Folder::new();
    let url = sqlite(&folder);
    let pool = SqlitePool::connect(&url).await.unwrap();
    sqlx::raw_sql(TABLES).execute(&pool).await.unwrap();
    is_used(&SqlStore::connect(&url).await.unwrap()).await;
    let told: String = sqlx::query_scalar(TOLD).fetch_one(&pool).await.unwrap();
    assert_eq!(told, UNTOUCHED);
    let columns = "SELECT COUNT(*) FROM pragma_table_info('accounts')";
    assert_eq!(sqlx::query_scalar::<_, i64>(columns).fetch_one(&pool).await.unwrap(), 2);
}

#[tokio::test]
async fn tables_of_an_application_in_postgres_are_left_alone() {
    let Some(server) = Postgres::start() else { return };
    let pool = PgPool::connect(server.url()).await.unwrap();
    sqlx::raw_sql(TABLES).execute(&pool).await.unwrap();
    is_used(&SqlStore::connect(server.url()).await.unwrap()).await;
    let told: String = sqlx::query_scalar(TOLD).fetch_one(&pool).await.unwrap();
    assert_eq!(told, UNTOUCHED);
    let columns = "SELECT COUNT(*) FROM information_schema.columns WHERE table_name = 'accounts'";
    assert_eq!(sqlx::query_scalar::<_, i64>(columns).fetch_one(&pool).await.unwrap(), 2);
}

#[tokio::test]
async fn an_application_in_sqlite_migrates_before_and_after() {
    for versions in VERSIONS {
        for store_first in [false, true] {
            let folder = Folder::new();
            let url = sqlite(&folder);
            let pool = SqlitePool::connect(&url).await.unwrap();
            for step in 0..4 {
                if (step % 2 == 0) == store_first {
                    SqlStore::connect(&url).await.unwrap().close().await;
                } else {
                    migrator(versions).run(&pool).await.unwrap();
                }
            }
            migrator(&[versions, &[30_000_000_000_000]].concat()).run(&pool).await.unwrap();
        }
    }
}

#[tokio::test]
async fn an_application_in_postgres_migrates_before_and_after() {
    let Some(server) = Postgres::start() else { return };
    let main = PgPool::connect(server.url()).await.unwrap();
    for (number, versions) in VERSIONS.iter().enumerate() {
        for store_first in [false, true] {
            let name = format!("app_{number}_{store_first}");
            let made = AssertSqlSafe(format!("CREATE DATABASE {name}"));
            sqlx::query(made).execute(&main).await.unwrap();
            let url = server.url().replace("/postgres", &format!("/{name}"));
            let pool = PgPool::connect(&url).await.unwrap();
            for step in 0..4 {
                if (step % 2 == 0) == store_first {
                    SqlStore::connect(&url).await.unwrap().close().await;
                } else {
                    migrator(versions).run(&pool).await.unwrap();
                }
            }
        }
    }
}

fn text(error: &StoreError) -> String {
    assert_eq!(
        error.to_string(),
        format!("the key store cannot answer: {}", error.source().unwrap())
    );
    error.to_string()
}

#[tokio::test]
async fn a_table_with_the_stores_own_name_is_refused_and_named() {
    for table in ["accounts", "keys", "secrets", "changes", "migrations"] {
        let folder = Folder::new();
        let url = sqlite(&folder);
        let pool = SqlitePool::connect(&url).await.unwrap();
        let made = format!("CREATE TABLE tower_api_key_{table} (own INTEGER)");
        sqlx::query(AssertSqlSafe(made)).execute(&pool).await.unwrap();
        let told = text(&SqlStore::connect(&url).await.unwrap_err());
        assert!(told.contains(&format!("`tower_api_key_{table}`")), "{told}");
        assert!(told.contains("prefix"), "what helps: {told}");
        let tables = "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table'";
        assert_eq!(sqlx::query_scalar::<_, i64>(tables).fetch_one(&pool).await.unwrap(), 1);
        is_used(&SqlStore::builder(&url).prefix("other_").connect().await.unwrap()).await;
    }
    let Some(server) = Postgres::start() else { return };
    let pool = PgPool::connect(server.url()).await.unwrap();
    for table in ["accounts", "keys", "secrets", "changes", "migrations"] {
        let (name, schema) = (format!("tower_api_key_{table}"), format!("Schema of {table}"));
        let made = format!("CREATE TABLE {name} (own INTEGER)");
        sqlx::query(AssertSqlSafe(made)).execute(&pool).await.unwrap();
        let told = text(&SqlStore::connect(server.url()).await.unwrap_err());
        assert!(told.contains(&format!("`{name}`")) && told.contains("schema"), "{told}");
        is_used(&SqlStore::builder(server.url()).schema(schema).connect().await.unwrap()).await;
        sqlx::query(AssertSqlSafe(format!("DROP TABLE {name}"))).execute(&pool).await.unwrap();
    }
}

#[tokio::test]
async fn whatever_has_the_stores_own_name_is_told_with_what_helps() {
    let Some(server) = Postgres::start() else { return };
    let pool = PgPool::connect(server.url()).await.unwrap();
    sqlx::raw_sql("CREATE TABLE own (x INTEGER)").execute(&pool).await.unwrap();
    for (made, gone) in [
        ("VIEW tower_api_key_keys AS SELECT 1", "VIEW tower_api_key_keys"),
        ("TYPE tower_api_key_migrations AS (x INTEGER)", "TYPE tower_api_key_migrations"),
        ("TYPE tower_api_key_keys AS ENUM ('x')", "TYPE tower_api_key_keys"),
        ("INDEX tower_api_key_migrations ON own (x)", "INDEX tower_api_key_migrations"),
        ("SEQUENCE tower_api_key_secrets_of_key", "SEQUENCE tower_api_key_secrets_of_key"),
    ] {
        let sql = AssertSqlSafe(format!("CREATE {made}"));
        sqlx::raw_sql(sql).execute(&pool).await.unwrap();
        let told = text(&SqlStore::connect(server.url()).await.unwrap_err());
        assert!(told.contains("tower_api_key_") && told.contains("`schema`"), "{made}: {told}");
        sqlx::raw_sql(AssertSqlSafe(format!("DROP {gone}"))).execute(&pool).await.unwrap();
    }
    is_used(&SqlStore::connect(server.url()).await.unwrap()).await;
}

#[tokio::test]
async fn prefixes_and_schemas_keep_stores_apart() {
    let folder = Folder::new();
    let url = sqlite(&folder);
    let first = SqlStore::builder(&url).prefix("first_").connect().await.unwrap();
    let second = SqlStore::builder(&url).prefix("second_").connect().await.unwrap();
    first.add(key("key"), "test").await.unwrap();
    assert!(second.find(&digest("key")).await.unwrap().is_none());
    second.add(key("key"), "test").await.unwrap();
    for (prefix, schema) in [("", None), ("A_", None), ("a_", Some("x"))] {
        let mut builder = SqlStore::builder(&url).prefix(prefix);
        if let Some(schema) = schema {
            builder = builder.schema(schema);
        }
        let told = text(&builder.connect().await.unwrap_err());
        assert!(told.contains("prefix"), "{told}");
    }
    let Some(server) = Postgres::start() else { return };
    let first = SqlStore::builder(server.url()).schema("first").connect().await.unwrap();
    let second = SqlStore::builder(server.url()).schema("sec\"ond").prefix("x_");
    let second = second.connect().await.unwrap();
    first.add(key("key"), "test").await.unwrap();
    assert!(second.find(&digest("key")).await.unwrap().is_none());
    is_used(&second).await;
    let again = SqlStore::builder(server.url()).schema("first").connect().await.unwrap();
    assert!(again.find(&digest("key")).await.unwrap().is_some());
}

#[tokio::test]
async fn tables_of_a_newer_release_are_told() {
    let folder = Folder::new();
    let url = sqlite(&folder);
    SqlStore::connect(&url).await.unwrap().close().await;
    let pool = SqlitePool::connect(&url).await.unwrap();
    let newer = "INSERT INTO tower_api_key_migrations VALUES (99, 'newer', 'x', 0, NULL)";
    sqlx::query(newer).execute(&pool).await.unwrap();
    let told = text(&SqlStore::connect(&url).await.unwrap_err());
    assert!(told.contains("newer release") && told.contains("update the program"), "{told}");
    let other = "DELETE FROM tower_api_key_migrations WHERE version = 99; \
                 UPDATE tower_api_key_migrations SET checksum = 'another'";
    sqlx::raw_sql(other).execute(&pool).await.unwrap();
    let told = text(&SqlStore::connect(&url).await.unwrap_err());
    assert!(told.contains("step 1"), "{told}");
}
