//! Tests that each list has the right keys, and finds them by an index.

use std::time::Duration;

use super::class_names::ClassNames;
use super::combinations::{NOW, all, fill, key, tail};
use super::key_list::{KeyList, MostSorted};
use super::position;
use crate::SqlStore;
use crate::on_both::on_both;
use crate::plan::{folder::Folder, postgres::Postgres};
use crate::statement::Statement;
use tower_api_key::clock::Timestamp;
use tower_api_key::key::{Account, KeyHasher, KeyRecord};
use tower_api_key::store::{KeyFilter, KeyManager, KeyOrder, KeyState, NewKey};

/// The two ways to find a page: read a small set and sort it, or read in order until the page is full.
const SMALL: MostSorted = MostSorted { one: 1_000_000, several: 1_000_000 };
const LARGE: MostSorted = MostSorted { one: 0, several: 0 };

async fn sqlite(folder: &Folder) -> SqlStore {
    let url = format!("sqlite:{}?mode=rwc", folder.path().join("keys.db").display());
    SqlStore::connect(&url).await.unwrap()
}

/// Returns the ids of all pages of three, in their order.
async fn listed(store: &SqlStore, filter: &KeyFilter, most_sorted: MostSorted) -> Vec<String> {
    let (mut ids, mut after) = (Vec::new(), None::<String>);
    let list = KeyList { filter, now: NOW, most_sorted };
    // The first pages and the rest: more pages would take long, and find no other mistake.
    for limit in [3, 3, 10_000] {
        for row in list.rows_after(store, after.as_deref(), limit).await.unwrap() {
            ids.push(row.text("id").unwrap().unwrap());
            after = Some(position(&*row, filter.order).unwrap());
        }
    }
    ids
}

async fn has_the_right_keys(store: &SqlStore, filters: impl Iterator<Item = KeyFilter>) {
    const KEYS: u32 = 600;
    fill(store, KEYS).await;
    let keys: Vec<KeyRecord> = (0..KEYS).map(key).collect();
    for filter in filters {
        let has_tail = |number: u32| filter.tail.is_none_or(|wanted| wanted == tail(number));
        let chosen = (0..KEYS).zip(&keys).filter(|(number, _)| has_tail(*number));
        let chosen = chosen.map(|(_, key)| key).filter(|key| filter.chooses(key, NOW));
        let mut chosen: Vec<_> = chosen.collect();
        chosen.sort_by_key(|key| match filter.order {
            KeyOrder::Name => (key.name().to_owned(), None, key.id().to_string()),
            KeyOrder::Expiry => (String::new(), key.expires(), key.id().to_string()),
            _ => (String::new(), None, key.id().to_string()),
        });
        let chosen: Vec<_> = chosen.iter().map(|key| key.id().to_string()).collect();
        for most_sorted in [SMALL, LARGE] {
            let listed = listed(store, &filter, most_sorted).await;
            assert_eq!(listed, chosen, "{filter:?} {most_sorted:?}");
        }
    }
}

#[tokio::test]
async fn each_list_of_sqlite_has_the_right_keys_in_their_order() {
    let folder = Folder::new();
    has_the_right_keys(&sqlite(&folder).await, all().step_by(3)).await;
}

#[tokio::test]
async fn each_list_of_postgres_has_the_right_keys_in_their_order() {
    let Some(server) = Postgres::start() else { return };
    // All of them take a minute.
    has_the_right_keys(&SqlStore::connect(server.url()).await.unwrap(), all().step_by(13)).await;
}

on_both!(
    lists_each_period,
    a_list_of_active_keys_of_postgres_has_each_period_once,
    a_list_of_active_keys_of_sqlite_has_each_period_once
);
async fn lists_each_period(url: &str) {
    const PERIOD: u64 = 90 * 86_400;
    let store = SqlStore::connect(url).await.unwrap();
    let ends = (1..15).flat_map(|period| [period * PERIOD - 1, period * PERIOD]);
    let ends = ends.chain([0, 9_999, 10_000, 10_001, 3_000_000_000]).map(Some).chain([None]);
    let mut keys = Vec::new();
    // The ids are in another order than the expiries.
    for (number, expires) in ends.enumerate() {
        let id = format!("key_{:03}", number * 7 % 100);
        let account = Account::builder(format!("account_{}", number % 3));
        let mut record = KeyRecord::builder(id, account.disabled(number % 3 == 2).build().unwrap());
        if let Some(expires) = expires {
            record = record.expires(Timestamp::from_unix_seconds(expires));
        }
        let digest = KeyHasher::sha256().digest(&number.to_be_bytes());
        keys.push(NewKey::new(digest, record.build().unwrap()));
    }
    let filter = KeyFilter { state: Some(KeyState::Active), ..KeyFilter::default() };
    let chosen = keys.iter().filter(|key| filter.chooses(&key.record, NOW));
    let mut chosen: Vec<_> = chosen.map(|key| key.record.id().to_string()).collect();
    chosen.sort();
    store.import(keys, "test").await.unwrap();
    // The keys of later periods are few, or too many.
    for one in [1_000_000, 0] {
        let listed = listed(&store, &filter, MostSorted { one, several: 0 }).await;
        assert_eq!(listed, chosen, "{one}");
    }
}

/// Returns the lines of the plan of a page.
async fn plan(
    store: &SqlStore,
    list: &KeyList<'_>,
    explain: &[&'static str],
    column: &str,
) -> Vec<String> {
    let mut names = ClassNames::default();
    names.grow(store, list.filter).await.unwrap();
    let asked = list.page(store, None, 50, &names).await.unwrap().unwrap().statement;
    let mut connection = store.pool.acquire().await.unwrap();
    let (last, before) = explain.split_last().unwrap();
    for statement in before {
        connection.execute(Statement::from(*statement)).await.unwrap();
    }
    let mut explained = Statement::made(format!("{last} {}", asked.sql.as_str()));
    explained.values = asked.values;
    let rows = connection.fetch(explained).await.unwrap();
    rows.iter().map(|row| row.text(column).unwrap().unwrap()).collect()
}

/// Returns true if a filter has a part that is not in the order of the list, so that an index finds a small set.
fn has_set(filter: &KeyFilter) -> bool {
    let part = |order, is_set| filter.order != order && is_set;
    filter.account.is_some()
        || filter.owner.is_some()
        || filter.tag.is_some()
        || part(KeyOrder::Name, filter.name_prefix.is_some())
        || part(KeyOrder::Expiry, filter.expires_before.is_some())
}

#[tokio::test]
async fn sqlite_finds_each_list_by_an_index() {
    let folder = Folder::new();
    let store = sqlite(&folder).await;
    fill(&store, 5_000).await;
    for filter in all() {
        let classed =
            filter.state.is_some() || filter.kind.is_some() || filter.environment.is_some();
        for (most_sorted, small) in [(SMALL, true), (LARGE, false)] {
            let list = KeyList { filter: &filter, now: NOW, most_sorted };
            let plan = plan(&store, &list, &["EXPLAIN QUERY PLAN"], "detail").await;
            let told = || format!("{filter:?} {most_sorted:?}\n{}", plan.join("\n"));
            let lines =
                |begin: &'static str| plan.iter().filter(move |line| line.starts_with(begin));
            // Without a small set or a class, the page begins at the first key of the order.
            let is_found = classed || (small && has_set(&filter));
            assert!(!is_found || lines("SCAN k").count() == 0, "{}", told());
            for table in ["SCAN t", "SCAN b ", "SCAN a", "SCAN s", "SCAN u"] {
                let whole = |line: &&String| !line.contains("INDEX");
                assert_eq!(lines(table).filter(whole).count(), 0, "{}", told());
            }
            if classed && !small {
                let order = match filter.order {
                    KeyOrder::Name => "_keys_by_name",
                    KeyOrder::Expiry => "_keys_by_expiry",
                    _ => "_keys_by_id",
                };
                let found = lines("SEARCH k ");
                let other = |line: &&String| {
                    !line.contains(order)
                        && !line.contains("live_keys_by_period")
                        && !line.contains("PRIMARY KEY")
                        && !line.contains("keys_of_account")
                };
                assert_eq!(found.filter(other).count(), 0, "{}", told());
            }
        }
    }
}

#[tokio::test]
async fn postgres_finds_each_list_by_an_index() {
    let Some(server) = Postgres::start() else { return };
    // The machine may be busy, and what is asked here is how, not how fast.
    let patient = SqlStore::builder(server.url()).lookup_timeout(Duration::from_secs(60));
    let store = patient.connect().await.unwrap();
    fill(&store, 20_000).await;
    for filter in all().step_by(7) {
        for most_sorted in [SMALL, LARGE] {
            let list = KeyList { filter: &filter, now: NOW, most_sorted };
            // A scan of a small table may cost less. It is left only where no index helps.
            let explain = ["SET enable_seqscan = off", "EXPLAIN"];
            let plan = plan(&store, &list, &explain, "QUERY PLAN").await.join("\n");
            for table in ["keys", "tags", "secrets"] {
                let scan = format!("Seq Scan on tower_api_key_{table}");
                assert!(!plan.contains(&scan), "{filter:?} {most_sorted:?}\n{plan}");
            }
        }
    }
}
