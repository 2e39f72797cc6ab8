//! Tests with `EXPLAIN` that each filter and order of a list uses an index.

use super::SqlStore;
use super::key_list::KeyList;
use super::plan::{folder, postgres};
use super::statement::Statement;
use tower_api_key::clock::Timestamp;
use tower_api_key::key::{Account, KeyHasher, KeyRecord};
use tower_api_key::store::{KeyFilter, KeyManager, KeyOrder, KeyState, NewKey};

/// Adds 20,000 keys. Few of them match each filter.
async fn fill(store: &SqlStore) {
    let key = |number: u32| {
        let rare = number.is_multiple_of(1_000);
        let account = Account::builder(format!("account_{}", number / 10)).build().unwrap();
        let id = format!("key_{number:06}");
        let digest = KeyHasher::sha256().digest(id.as_bytes());
        let expires = Timestamp::from_unix_seconds(u64::from(number));
        let mut record = KeyRecord::builder(id, account).name(format!("name {number:06}"));
        if rare {
            let tagged = record.owner("ada").kind("rare").environment("rare").metadata("a", "b");
            record = tagged.revoked(number == 1_000).disabled(number == 2_000).expires(expires);
        }
        NewKey::new(digest, record.build().unwrap())
    };
    for chunk in (0..20_000).map(key).collect::<Vec<_>>().chunks(5_000) {
        store.import(chunk.to_vec(), "test").await.unwrap();
    }
    let mut connection = store.pool.acquire().await.unwrap();
    connection.execute(Statement::from("ANALYZE")).await.unwrap();
}

fn filters() -> Vec<KeyFilter> {
    let text = |text: &str| Some(text.to_owned());
    let all = KeyFilter::default();
    let state = |state| KeyFilter { state: Some(state), ..KeyFilter::default() };
    vec![
        all.clone(),
        KeyFilter { order: KeyOrder::Name, ..all.clone() },
        KeyFilter { order: KeyOrder::Expiry, ..all.clone() },
        KeyFilter::account("account_7"),
        KeyFilter { owner: text("ada"), ..all.clone() },
        KeyFilter { kind: text("rare"), ..all.clone() },
        KeyFilter { environment: text("rare"), ..all.clone() },
        KeyFilter { tag: Some(("a".to_owned(), "b".to_owned())), ..all.clone() },
        KeyFilter { name_prefix: text("name 0000"), order: KeyOrder::Name, ..all.clone() },
        KeyFilter {
            expires_before: Some(Timestamp::from_unix_seconds(5_000)),
            order: KeyOrder::Expiry,
            ..all
        },
        state(KeyState::Revoked),
        KeyFilter { order: KeyOrder::Expiry, ..state(KeyState::Expired) },
        state(KeyState::Disabled),
    ]
}

async fn plans(store: &SqlStore, explain: &str, column: &str) -> Vec<(KeyFilter, String)> {
    fill(store).await;
    let now = Timestamp::from_unix_seconds(1_000_000_000);
    let mut plans = Vec::new();
    for filter in filters() {
        let list = KeyList { filter: &filter, now }.after(store, None, 50).unwrap().unwrap();
        let mut asked = Statement::made(format!("{explain} {}", list.sql.as_str()));
        asked.values = list.values;
        let mut connection = store.pool.acquire().await.unwrap();
        let rows = connection.fetch(asked).await.unwrap();
        let text = |row: &super::driver::Row| row.text(column).unwrap().unwrap();
        plans.push((filter, rows.iter().map(text).collect::<Vec<_>>().join("\n")));
    }
    plans
}

#[tokio::test]
async fn sqlite_scans_no_table_for_a_list() {
    let folder = folder::Folder::new();
    let url = format!("sqlite:{}?mode=rwc", folder.path().join("keys.db").display());
    let store = SqlStore::connect(&url).await.unwrap();
    for (filter, plan) in plans(&store, "EXPLAIN QUERY PLAN", "detail").await {
        // The outer statement scans the keys of the page. Without a filter the inner one begins at the first key.
        let unfiltered = filter == KeyFilter { order: filter.order, ..KeyFilter::default() };
        let whole = |line: &&str| line.starts_with("SCAN") && !line.contains("USING INDEX");
        let scans = plan.lines().filter(whole).count();
        assert!(scans <= 1 + usize::from(unfiltered), "{filter:?}\n{plan}");
    }
}

#[tokio::test]
async fn postgres_scans_no_table_for_a_list() {
    let Some(server) = postgres::Postgres::start() else { return };
    let store = SqlStore::connect(server.url()).await.unwrap();
    for (filter, plan) in plans(&store, "EXPLAIN", "QUERY PLAN").await {
        assert!(!plan.contains("Seq Scan on tower_api_key_keys"), "{filter:?}\n{plan}");
    }
}
