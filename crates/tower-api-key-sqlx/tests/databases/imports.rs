//! Imports: many keys in one transaction, which PostgreSQL copies.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection};
use tower_api_key::key::{Account, KeyRecord};
use tower_api_key::store::{KeyFilter, KeyManager, KeyStore, NewKey};
use tower_api_key_sqlx::SqlStore;

use crate::pgbouncer::PgBouncer;
use crate::postgres::Postgres;
use crate::{digest, key};

/// Returns a key with an account of its own, and texts that a form of rows could mistake for its own signs.
fn odd_key(number: u32) -> NewKey {
    let id = format!("odd_{number}\\\"{{}},'$1");
    let account = Account::builder(format!("account_{number}\\N\"'{{,}}")).plan("free");
    let account = Arc::new(account.scopes(["read"]).build().unwrap());
    let record = KeyRecord::builder(&id, account)
        .name("é NULL \\N \"x\"")
        .metadata("team", "{a,\"b\\\"}")
        .metadata("empty", "");
    NewKey::new(digest(&id), record.build().unwrap())
}

/// Imports keys of which some are there already or twice in the import, and checks what was added.
async fn adds_each_new_key_once(store: &SqlStore) {
    store.add(odd_key(3), "ada").await.unwrap();
    let before = store.changes(0, 10).await.unwrap().len() as u64;
    let mut keys: Vec<_> = (0..20).map(odd_key).collect();
    keys.push(odd_key(7));
    assert_eq!(store.import(keys.clone(), "ada").await.unwrap(), 19);
    assert_eq!(store.import(keys, "ada").await.unwrap(), 0);
    for number in 0..20 {
        let expected = odd_key(number);
        let id = expected.record.id();
        let found = store.get(id.as_str()).await.unwrap().unwrap();
        assert_eq!(found.record, expected.record);
        assert_eq!(found.secrets.len(), 1);
        assert_eq!(store.find(&expected.digest).await.unwrap().unwrap().id(), id);
    }
    let tag = Some(("team".to_owned(), "{a,\"b\\\"}".to_owned()));
    let tagged = KeyFilter { tag, ..KeyFilter::default() };
    assert_eq!(store.list(&tagged, None, 100).await.unwrap().len(), 20);
    // The trail has a line for each new key, in the order of the import.
    let lines = store.changes(before, 100).await.unwrap();
    let noted: Vec<_> = lines.iter().filter_map(|line| line.key.clone()).collect();
    let expected = (0..20).filter(|number| *number != 3).map(odd_key);
    let expected: Vec<_> = expected.map(|key| key.record.id().to_string()).collect();
    assert_eq!(noted, expected);
}

#[tokio::test]
async fn an_import_adds_each_new_key_once() {
    adds_each_new_key_once(&SqlStore::connect("sqlite::memory:").await.unwrap()).await;
    let Some(server) = Postgres::start() else { return };
    adds_each_new_key_once(&SqlStore::connect(server.url()).await.unwrap()).await;
}

#[tokio::test]
async fn an_import_behind_a_pooler_adds_each_new_key_once() {
    let Some(server) = Postgres::start() else { return };
    let Some(pooler) = PgBouncer::before(&server, 2) else { return };
    let store = SqlStore::builder(pooler.url()).behind_pooler(true).connect().await.unwrap();
    adds_each_new_key_once(&store).await;
}

/// PostgreSQL refuses to copy rows that it must check against policies of a table.
#[tokio::test]
async fn an_import_into_tables_with_row_security_adds_each_new_key_once() {
    let Some(server) = Postgres::start() else { return };
    SqlStore::connect(server.url()).await.unwrap();
    let mut connection = PgConnection::connect(server.url()).await.unwrap();
    let guard = "CREATE ROLE guarded LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO guarded; \
         GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO guarded; \
         ALTER TABLE tower_api_key_tags ENABLE ROW LEVEL SECURITY; \
         CREATE POLICY all_rows ON tower_api_key_tags USING (true)";
    sqlx::raw_sql(guard).execute(&mut connection).await.unwrap();
    let url = server.url().replace("test@", "guarded@");
    adds_each_new_key_once(&SqlStore::connect(&url).await.unwrap()).await;
}

/// Before: the server read all keys for each 500 that it was asked for, and compared each with each. The time grew with
/// the square of the keys: 100,000 of them took a minute.
#[tokio::test]
async fn an_import_reads_no_whole_table() {
    const KEYS: u32 = 12_000;
    let Some(server) = Postgres::start() else { return };
    let store = SqlStore::builder(server.url()).max_connections(1).connect().await.unwrap();
    for number in 0..20 {
        store.add(key(&format!("single_{number}")), "ada").await.unwrap();
    }
    let keys = (0..KEYS).map(odd_key).collect();
    assert_eq!(store.import(keys, "ada").await.unwrap(), u64::from(KEYS));
    let mut connection = PgConnection::connect(server.url()).await.unwrap();
    let asked = "SELECT CAST(SUM(seq_tup_read) AS BIGINT), CAST(MIN(n_tup_ins) AS BIGINT) FROM pg_stat_user_tables \
         WHERE relname IN ('tower_api_key_accounts', 'tower_api_key_keys', 'tower_api_key_secrets')";
    let give_up = Instant::now() + Duration::from_secs(20);
    loop {
        // A session reports its counts now and then.
        store.changes(0, 1).await.unwrap();
        let (read, added): (i64, i64) =
            sqlx::query_as(asked).fetch_one(&mut connection).await.unwrap();
        println!("{read} rows read without an index, {added} added");
        assert!(read < 2_000, "{read} rows were read without an index");
        if added >= i64::from(KEYS) {
            break;
        }
        assert!(Instant::now() < give_up, "{added} rows were added");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
