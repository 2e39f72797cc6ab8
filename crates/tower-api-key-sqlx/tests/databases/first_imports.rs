//! Large imports into a store without keys, which make indexes after the rows.

use std::sync::Arc;
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row, SqliteConnection};
use tower_api_key::key::{Account, KeyRecord};
use tower_api_key::policy::{KeyPolicy, PolicySubject};
use tower_api_key::store::{
    Command, CommandOptions, KeyFilter, KeyManager, KeyStore, ManageError, NewKey,
};
use tower_api_key_sqlx::SqlStore;

use crate::folder::Folder;
use crate::pgbouncer::PgBouncer;
use crate::postgres::Postgres;
use crate::{digest, sqlite};

/// As many keys as make it pay.
const KEYS: u32 = 20_000;

fn key(number: u32) -> NewKey {
    let id = format!("key_{number}");
    let account = Arc::new(Account::builder(format!("account_{}", number / 10)).build().unwrap());
    let mut record = KeyRecord::builder(&id, account).name(format!("Worker {number}"));
    if number.is_multiple_of(100) {
        record = record.metadata("tier", "gold").environment("live").owner("ada");
    }
    NewKey::new(digest(&id), record.build().unwrap())
}

fn keys() -> Vec<NewKey> {
    (0..KEYS).map(key).collect()
}

/// The indexes and foreign keys of a database, and where each index lies. One that was made anew lies elsewhere.
#[derive(Debug, PartialEq)]
struct Schema {
    texts: Vec<String>,
    places: Vec<i64>,
}

impl Schema {
    async fn of(url: &str) -> Self {
        let (mut texts, mut places) = (Vec::new(), Vec::new());
        if url.starts_with("postgres") {
            let mut connection = PgConnection::connect(url).await.unwrap();
            let indexes = "SELECT pg_get_indexdef(indexrelid) AS made, CAST(indexrelid AS BIGINT) AS place \
                 FROM pg_index JOIN pg_class c ON c.oid = indrelid WHERE c.relname LIKE 'tower%' AND indisvalid \
                 ORDER BY 1";
            for row in connection.fetch_all(indexes).await.unwrap() {
                texts.push(row.get("made"));
                places.push(row.get("place"));
            }
            let foreign_keys = "SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) AS made \
                 FROM pg_constraint WHERE contype = 'f' AND convalidated ORDER BY 1";
            let rows = connection.fetch_all(foreign_keys).await.unwrap();
            texts.extend(rows.iter().map(|row| row.get::<String, _>("made")));
        } else {
            let mut connection = SqliteConnection::connect(url).await.unwrap();
            let indexes = "SELECT name, COALESCE(sql, '') AS made, rootpage AS place FROM sqlite_master \
                 WHERE type = 'index' ORDER BY name";
            for row in connection.fetch_all(indexes).await.unwrap() {
                texts.push(row.get("made"));
                places.push(row.get("place"));
            }
        }
        assert!(texts.len() > 20, "{texts:?}");
        Self { texts, places }
    }
}

async fn has_all(store: &SqlStore) {
    for number in (0..KEYS).step_by(1_999) {
        let key = key(number);
        assert_eq!(store.find(&key.digest).await.unwrap().unwrap().id(), key.record.id());
        let entry = store.get(key.record.id().as_str()).await.unwrap().unwrap();
        assert_eq!(entry.record, key.record);
    }
    let tag = Some(("tier".to_owned(), "gold".to_owned()));
    for filter in [
        KeyFilter { tag, ..KeyFilter::default() },
        KeyFilter { owner: Some("ada".to_owned()), ..KeyFilter::default() },
    ] {
        assert_eq!(store.list(&filter, None, 1_000).await.unwrap().len(), KEYS as usize / 100);
    }
    // The trail has the order of the import.
    let lines = store.changes(0, KEYS as usize + 10).await.unwrap();
    let of_keys: Vec<_> = lines.iter().filter_map(|line| line.key.clone()).collect();
    assert_eq!(of_keys, (0..KEYS).map(|number| format!("key_{number}")).collect::<Vec<_>>());
}

async fn leaves_the_schema_as_it_was(url: &str) {
    let store = SqlStore::connect(url).await.unwrap();
    let before = Schema::of(url).await;
    // Of several keys with one id or secret, the first counts.
    let mut all = keys();
    all.push(NewKey::new(digest("other"), key(7).record));
    all.push(NewKey::new(key(8).digest, key(KEYS).record));
    assert_eq!(store.import(all, "test").await.unwrap(), u64::from(KEYS));
    let after = Schema::of(url).await;
    assert_eq!(after.texts, before.texts);
    assert_ne!(after.places, before.places, "indexes were made anew");
    has_all(&store).await;
    // A second one adds what is missing, with the indexes in place.
    let mut all = keys();
    all.push(key(KEYS));
    assert_eq!(store.import(all, "test").await.unwrap(), 1);
    assert_eq!(Schema::of(url).await, after);
}

#[tokio::test]
async fn a_first_import_leaves_the_indexes_of_sqlite_as_they_were() {
    let folder = Folder::new();
    leaves_the_schema_as_it_was(&sqlite(&folder)).await;
}

#[tokio::test]
async fn a_first_import_leaves_the_indexes_and_foreign_keys_of_postgres_as_they_were() {
    let Some(server) = Postgres::start() else { return };
    leaves_the_schema_as_it_was(server.url()).await;
    let mut connection = PgConnection::connect(server.url()).await.unwrap();
    let orphan = "UPDATE tower_api_key_keys SET account = 'nobody' WHERE id = 'key_1'";
    connection.execute(orphan).await.unwrap_err();
}

async fn is_all_or_nothing(url: &str) {
    let store = SqlStore::connect(url).await.unwrap();
    let before = Schema::of(url).await;
    let policy = KeyPolicy::builder(PolicySubject::All).require_expiry().build().unwrap();
    let by_ada = CommandOptions::by("ada");
    store.apply(Command::SavePolicy(policy), by_ada).await.unwrap();
    let broken = store.import(keys(), "test").await.unwrap_err();
    assert!(matches!(broken, ManageError::PolicyViolated(_)), "{broken}");
    assert_eq!(Schema::of(url).await, before);
    store.apply(Command::DeletePolicy(PolicySubject::All), by_ada).await.unwrap();
    // Its caller hangs up, at different places.
    for milliseconds in [50, 200, 600] {
        let import = store.import(keys(), "test");
        let ended = tokio::time::timeout(Duration::from_millis(milliseconds), import).await;
        if ended.is_ok() {
            println!("imported within {milliseconds} ms");
            return;
        }
        // Waits until the transaction has ended.
        let account = Account::builder("acme").build().unwrap();
        store.save_account(account, "test").await.unwrap();
        assert_eq!(Schema::of(url).await, before);
        assert!(store.list(&KeyFilter::default(), None, 1).await.unwrap().is_empty());
    }
    assert_eq!(store.import(keys(), "test").await.unwrap(), u64::from(KEYS));
}

#[tokio::test]
async fn a_first_import_into_sqlite_is_made_whole_or_not_at_all() {
    let folder = Folder::new();
    is_all_or_nothing(&sqlite(&folder)).await;
}

#[tokio::test]
async fn a_first_import_into_postgres_is_made_whole_or_not_at_all() {
    let Some(server) = Postgres::start() else { return };
    is_all_or_nothing(server.url()).await;
}

#[tokio::test]
async fn a_first_import_goes_on_beside_a_long_reader() {
    let Some(server) = Postgres::start() else { return };
    let store = SqlStore::connect(server.url()).await.unwrap();
    let before = Schema::of(server.url()).await;
    let mut reader = PgConnection::connect(server.url()).await.unwrap();
    reader.execute("BEGIN; SELECT COUNT(*) FROM tower_api_key_keys").await.unwrap();
    assert_eq!(store.import(keys(), "test").await.unwrap(), u64::from(KEYS));
    assert_eq!(Schema::of(server.url()).await, before, "each row had its entries at once");
    has_all(&store).await;
}

#[tokio::test]
async fn a_first_import_behind_a_pooler_makes_indexes_after_its_rows() {
    let Some(server) = Postgres::start() else { return };
    let Some(pooler) = PgBouncer::before(&server, 2) else { return };
    let store = SqlStore::builder(pooler.url()).behind_pooler(true).connect().await.unwrap();
    let before = Schema::of(server.url()).await;
    assert_eq!(store.import(keys(), "test").await.unwrap(), u64::from(KEYS));
    let after = Schema::of(server.url()).await;
    assert_eq!(after.texts, before.texts);
    assert_ne!(after.places, before.places);
    has_all(&store).await;
}

#[tokio::test]
async fn a_role_that_does_not_own_the_tables_imports() {
    let Some(server) = Postgres::start() else { return };
    SqlStore::connect(server.url()).await.unwrap();
    let before = Schema::of(server.url()).await;
    let mut connection = PgConnection::connect(server.url()).await.unwrap();
    let role = "CREATE ROLE writer LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO writer; \
         GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO writer";
    connection.execute(AssertSqlSafe(role)).await.unwrap();
    let url = server.url().replace("test@", "writer@");
    let store = SqlStore::connect(&url).await.unwrap();
    assert_eq!(store.import(keys(), "test").await.unwrap(), u64::from(KEYS));
    assert_eq!(Schema::of(server.url()).await, before);
}

/// An application has indexes of its own, one of which holds a rule.
#[tokio::test]
async fn a_first_import_keeps_what_an_application_added() {
    let Some(server) = Postgres::start() else { return };
    let store = SqlStore::builder(server.url()).schema("my keys").connect().await.unwrap();
    let mut connection = PgConnection::connect(server.url()).await.unwrap();
    let own = "CREATE UNIQUE INDEX own_rule ON \"my keys\".tower_api_key_keys (lower(id)); \
         CREATE INDEX \"Own list\" ON \"my keys\".tower_api_key_keys (created) WITH (fillfactor = 70); \
         COMMENT ON INDEX \"my keys\".tower_api_key_keys_by_name IS 'ours'; \
         CREATE TABLE notes (key_id TEXT COLLATE \"C\" REFERENCES \"my keys\".tower_api_key_keys (id))";
    connection.execute(AssertSqlSafe(own)).await.unwrap();
    let before = Schema::of(server.url()).await;
    assert_eq!(store.import(keys(), "test").await.unwrap(), u64::from(KEYS));
    let after = Schema::of(server.url()).await;
    assert_eq!(after.texts, before.texts);
    assert_ne!(after.places, before.places);
    let kept = "SELECT obj_description('\"my keys\".tower_api_key_keys_by_name'::regclass, 'pg_class') AS kept";
    let kept: Option<String> = connection.fetch_one(kept).await.unwrap().get("kept");
    assert_eq!(kept.as_deref(), Some("ours"));
}
