//! Tests with `EXPLAIN` that a bound and a sweep use indexes.

use super::due_keys::DueKeys;
use super::number::CountedKey;
use super::rows::COVERING;
use crate::SqlStore;
use crate::plan::{folder, postgres};
use crate::row;
use crate::statement::Statement;
use tower_api_key::clock::Timestamp;
use tower_api_key::key::{Account, KeyHasher, KeyRecord};
use tower_api_key::policy::{KeyPolicy, Policies, PolicySubject};
use tower_api_key::store::{KeyManager, NewKey};

const DAY: std::time::Duration = std::time::Duration::from_secs(86_400);

fn record(number: u32) -> KeyRecord {
    let account = Account::builder(format!("account_{}", number / 10)).build().unwrap();
    let key = KeyRecord::builder(format!("key_{number:06}"), account);
    let kind = if number.is_multiple_of(1_000) { "rare" } else { "usual" };
    key.kind(kind).build().unwrap()
}

/// Adds 20,000 keys of 2,000 accounts.
async fn fill(store: &SqlStore) {
    let key = |number: u32| {
        let record = record(number);
        NewKey::new(KeyHasher::sha256().digest(record.id().as_str().as_bytes()), record)
    };
    for chunk in (0..20_000).map(key).collect::<Vec<_>>().chunks(5_000) {
        store.import(chunk.to_vec(), "test").await.unwrap();
    }
    let mut connection = store.pool.acquire().await.unwrap();
    connection.execute(Statement::from("ANALYZE")).await.unwrap();
}

/// Returns the statements that count and look for keys, each with its name.
fn statements(store: &SqlStore) -> Vec<(String, Statement)> {
    let now = Timestamp::from_unix_seconds(1_900_000_000);
    let record = record(7_000);
    let mut all = Vec::new();
    for subject in PolicySubject::all_of(&record) {
        for revokes_others in [false, true] {
            let key = CountedKey { record: &record, revokes_others };
            let asked = key.others(&store.tables, (&subject, 5), row::column(now));
            all.push((format!("count of {subject}"), asked));
        }
    }
    let covering = Statement::made(store.tables.fill(COVERING));
    let covering = ["account:a", "all", "kind:k"].into_iter().fold(covering, Statement::bind);
    all.push(("policies of a key".to_owned(), covering));
    let policy = |subject: PolicySubject| {
        let policy = KeyPolicy::builder(subject).longest_life(90 * DAY).switch_off_unused(90 * DAY);
        policy.remind_of_rotation(90 * DAY).build().unwrap()
    };
    for subject in PolicySubject::all_of(&record) {
        for due in DueKeys::of(&Policies::new([policy(subject)])) {
            let window = ("key_007000", "key_007100");
            all.push((
                format!("{due:?}"),
                due.between((&*store.tables, store.dialect), window, now),
            ));
            all.push((format!("end {due:?}"), due.end_of_window(&store.tables, "key_007000")));
        }
    }
    all
}

async fn plans(store: &SqlStore, explain: &str, column: &str) -> Vec<(String, String)> {
    fill(store).await;
    let mut plans = Vec::new();
    for (name, statement) in statements(store) {
        let mut asked = Statement::made(format!("{explain} {}", statement.sql.as_str()));
        asked.values = statement.values;
        let mut connection = store.pool.acquire().await.unwrap();
        let rows = connection.fetch(asked).await.unwrap();
        let text = |row: &crate::driver::Row| row.text(column).unwrap().unwrap();
        plans.push((name, rows.iter().map(text).collect::<Vec<_>>().join("\n")));
    }
    plans
}

#[tokio::test]
async fn sqlite_scans_no_table_for_policies() {
    let folder = folder::Folder::new();
    let url = format!("sqlite:{}?mode=rwc", folder.path().join("keys.db").display());
    let store = SqlStore::connect(&url).await.unwrap();
    for (name, plan) in plans(&store, "EXPLAIN QUERY PLAN", "detail").await {
        // The rows that were counted are a table of their own. Accounts that are switched off have an index.
        let whole = |line: &&str| {
            line.starts_with("SCAN") && !line.contains("counted") && !line.contains("USING")
        };
        assert_eq!(plan.lines().filter(whole).count(), 0, "{name}\n{plan}");
    }
}

#[tokio::test]
async fn postgres_scans_no_table_for_policies() {
    let Some(server) = postgres::Postgres::start() else { return };
    let store = SqlStore::connect(server.url()).await.unwrap();
    for (name, plan) in plans(&store, "EXPLAIN", "QUERY PLAN").await {
        for table in ["keys", "secrets", "changes"] {
            assert!(
                !plan.contains(&format!("Seq Scan on tower_api_key_{table}")),
                "{name}\n{plan}"
            );
        }
    }
}
