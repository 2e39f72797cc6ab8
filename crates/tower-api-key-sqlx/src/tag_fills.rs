//! Tests that tags are filled in for programs that write none.

use super::SqlStore;
use super::on_both::{on_both, run};
use super::plan::postgres::Postgres;
use super::statement::Statement;
use tower_api_key::key::{Account, KeyHasher, KeyRecord};
use tower_api_key::store::{KeyFilter, KeyManager, NewKey};

fn key(number: u32) -> NewKey {
    let account = Account::builder("acme").build().unwrap();
    let record = KeyRecord::builder(format!("key_{number:05}"), account);
    let record = if number.is_multiple_of(3) { record } else { record.metadata("tier", "gold") };
    let digest = KeyHasher::sha256().digest(number.to_string().as_bytes());
    NewKey::new(digest, record.build().unwrap())
}

/// Adds keys as a program does that writes no tags.
async fn add_untagged(store: &SqlStore, numbers: std::ops::Range<u32>) {
    let last = format!("key_{:05}", numbers.start);
    store.import(numbers.map(key).collect(), "older").await.unwrap();
    run(store, &format!("DELETE FROM {{tags}} WHERE key_id >= '{last}'")).await;
}

async fn tagged(store: &SqlStore, value: &str) -> usize {
    let tag = Some(("tier".to_owned(), value.to_owned()));
    let filter = KeyFilter { tag, ..KeyFilter::default() };
    store.list(&filter, None, 100_000).await.unwrap().len()
}

async fn place(store: &SqlStore) -> (Option<String>, i64) {
    let asked = store.tables.fill("SELECT key_id, sequence FROM {fills} WHERE name = 'tags'");
    let rows = store.read(Statement::made(asked)).await.unwrap();
    (rows[0].text("key_id").unwrap(), rows[0].number("sequence").unwrap().unwrap())
}

/// Takes the database back to the step before tags were filled in.
async fn go_back(store: &SqlStore) {
    let indexes = ["live", "off", "revoked"].map(|status| {
        let of = |order| format!("DROP INDEX \"{{prefix}}{status}_keys_by_{order}\";");
        ["id", "name", "expiry"].map(of).concat()
    });
    let back = "DROP INDEX \"{prefix}live_keys_by_period\"; DROP TABLE {fills}; \
        DROP INDEX \"{prefix}secrets_by_tail\"; ALTER TABLE {secrets} DROP COLUMN tail; \
        DELETE FROM {migrations} WHERE version >= 9;";
    run(store, &format!("{}{back}", indexes.concat())).await;
}

on_both!(
    upgraded,
    an_upgraded_postgres_lists_the_keys_of_older_programs_by_tag,
    an_upgraded_sqlite_lists_the_keys_of_older_programs_by_tag
);
async fn upgraded(url: &str) {
    let older = SqlStore::connect(url).await.unwrap();
    // More than two batches. A row that no program can read keeps nothing back.
    add_untagged(&older, 0..4_500).await;
    run(&older, "UPDATE {keys} SET metadata = 'no JSON' WHERE id = 'key_00001'").await;
    run(&older, "INSERT INTO {tags} (name, value, key_id) VALUES ('tier', 'old', 'key_00002')")
        .await;
    assert_eq!(tagged(&older, "gold").await, 0);
    go_back(&older).await;
    let newer = SqlStore::connect(url).await.unwrap();
    assert_eq!(tagged(&newer, "gold").await, 2_999);
    assert_eq!(tagged(&newer, "old").await, 0);
    assert_eq!(place(&newer).await, (None, 4_500));

    // An older program still runs, and adds, changes and deletes keys.
    add_untagged(&older, 4_500..4_510).await;
    older
        .update("key_00002", Box::new(|key| key.metadata("tier", "silver")), "older")
        .await
        .unwrap();
    run(&older, "UPDATE {tags} SET value = 'gold' WHERE key_id = 'key_00002'").await;
    older.delete("key_00004", "older").await.unwrap();
    assert_eq!((tagged(&newer, "gold").await, tagged(&newer, "silver").await), (2_997, 0));
    let next = SqlStore::connect(url).await.unwrap();
    assert_eq!((tagged(&next, "gold").await, tagged(&next, "silver").await), (3_003, 1));
    let after = place(&next).await;
    assert_eq!(after, (None, 4_512));
    // Now a connect has nothing to do, and writes nothing.
    older.update("key_00005", Box::new(|key| key.name("other")), "newer").await.unwrap();
    assert!(!next.fill_batch_of_tags().await.unwrap());
    assert_eq!(place(&next).await, after);
}

on_both!(
    interrupted,
    a_fill_of_postgres_goes_on_where_another_process_ended,
    a_fill_of_sqlite_goes_on_where_another_process_ended
);
async fn interrupted(url: &str) {
    let store = SqlStore::connect(url).await.unwrap();
    add_untagged(&store, 0..5_000).await;
    run(&store, "UPDATE {fills} SET key_id = '', sequence = 5000 WHERE name = 'tags'").await;
    assert!(store.fill_batch_of_tags().await.unwrap());
    assert_eq!(place(&store).await.0.as_deref(), Some("key_01999"));
    let filled = tagged(&store, "gold").await;
    assert!((1..3_333).contains(&filled), "{filled}");
    // Two processes at once: one of them moves the place.
    let (one, other) = tokio::join!(store.fill_batch_of_tags(), store.fill_batch_of_tags());
    assert!(one.unwrap() | other.unwrap());
    SqlStore::connect(url).await.unwrap();
    assert_eq!((tagged(&store, "gold").await, place(&store).await), (3_333, (None, 5_000)));
}

/// A role that may only read connects, and the fill waits for another one.
#[tokio::test]
async fn a_role_without_write_access_leaves_the_fill_to_others() {
    let Some(server) = Postgres::start() else { return };
    let store = SqlStore::connect(server.url()).await.unwrap();
    add_untagged(&store, 0..10).await;
    run(
        &store,
        "UPDATE {fills} SET key_id = '', sequence = 10; CREATE ROLE reader LOGIN; \
         GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader",
    )
    .await;
    let reader = server.url().replace("test@", "reader@");
    let reader = SqlStore::connect(&reader).await.unwrap();
    assert_eq!(
        (tagged(&reader, "gold").await, place(&reader).await),
        (0, (Some(String::new()), 10))
    );
    SqlStore::connect(server.url()).await.unwrap();
    assert_eq!((tagged(&reader, "gold").await, place(&reader).await), (6, (None, 10)));
}
