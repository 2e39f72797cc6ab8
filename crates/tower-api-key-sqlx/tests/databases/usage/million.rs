//! Measures a month's view over a million keys.

use std::time::Instant;

use tower_api_key::clock::Timestamp;
use tower_api_key::decision::RequestDecision::{Admitted, Refused};
use tower_api_key::usage::{
    TopKeysQuery, UsageBatch, UsageCell, UsageGroup, UsageQuery, UsageReader, UsageSink,
};
use tower_api_key_sqlx::SqlStore;

use super::support::{NOVEMBER, at, cell};
use crate::folder::Folder;
use crate::postgres::Postgres;
use crate::sqlite;

const KEYS: u64 = 1_000_000;
const AT_A_TIME: u64 = 20_000;
const ROUTES: [&str; 5] = ["/users", "/users/{id}", "/jobs", "/jobs/{id}", "/files/{*path}"];

/// Each key makes requests in two hours of November. A thousand keys make requests in every hour.
async fn count_a_month(name: &str, store: &SqlStore) {
    let began = Instant::now();
    let mut sequence = 0;
    let mut write = async |cells: Vec<UsageCell>| {
        sequence += 1;
        store.write(&UsageBatch::new([1; 16], sequence, cells, [])).await.unwrap();
    };
    for start in (0..KEYS / AT_A_TIME).map(|part| part * AT_A_TIME) {
        for round in 0..2 {
            let of = |key: u64| {
                let hour = (key / AT_A_TIME * 13 + round * 181) % 720;
                let route = ROUTES[(key % 5) as usize];
                let decision = if (key + round).is_multiple_of(10) { Refused } else { Admitted };
                cell(hour, &format!("a{}_{key}", key / 100), route, decision, 1 + key % 97)
            };
            write((start..start + AT_A_TIME).map(of).collect()).await;
        }
    }
    for hours in (0..720).collect::<Vec<_>>().chunks(20) {
        let of = |(hour, key): (u64, u64)| {
            let route = ROUTES[(hour % 5) as usize];
            cell(hour, &format!("a{}_{key}", key / 100), route, Admitted, 10 + key)
        };
        let all = hours.iter().flat_map(|hour| (0..1_000).map(|key| (*hour, key)));
        write(all.map(of).collect()).await;
    }
    println!("{name}: 2,720,000 counts of a million keys written in {:.1?}", began.elapsed());
}

async fn read_a_month(name: &str, store: &SqlStore) {
    let (since, until) = (at(0), at(720));
    let month = || UsageQuery::between(since, until);
    for (what, query) in [
        ("total by decision", month().by([UsageGroup::Decision])),
        ("all by day and decision", month().by([UsageGroup::Day, UsageGroup::Decision])),
        ("all by hour and route", month().by([UsageGroup::Hour, UsageGroup::Route])),
        ("an account by hour", month().account("a7").by([UsageGroup::Hour])),
        ("a key by hour", month().key("a7_700").by([UsageGroup::Hour])),
        ("a key by day and route", month().key("a5_500").by([UsageGroup::Day, UsageGroup::Route])),
    ] {
        let began = Instant::now();
        let rows = store.usage(&query).await.unwrap().len();
        println!("{name}: {what}: {rows} rows in {:.1?}", began.elapsed());
    }
    for (what, query) in [
        (
            "top 100 keys of the month",
            TopKeysQuery::month_of(Timestamp::from_unix_seconds(NOVEMBER)),
        ),
        ("top 100 keys of an account", TopKeysQuery::months(since, until).account("a7")),
    ] {
        let began = Instant::now();
        let rows = store.top_keys(&query).await.unwrap().len();
        println!("{name}: {what}: {rows} rows in {:.1?}", began.elapsed());
    }
}

/// `cargo test --release -p tower-api-key-sqlx --all-features --test databases million_keys_is_read -- --ignored --nocapture`
#[tokio::test]
#[ignore = "takes minutes, and says how long the answers take"]
async fn a_month_of_a_million_keys_is_read_from_sqlite() {
    let folder = Folder::new();
    let store = SqlStore::connect(&sqlite(&folder)).await.unwrap();
    count_a_month("SQLite", &store).await;
    read_a_month("SQLite", &store).await;
    read_a_month("SQLite, again", &store).await;
}

#[tokio::test]
#[ignore = "takes minutes, and says how long the answers take"]
async fn a_month_of_a_million_keys_is_read_from_postgres() {
    let Some(server) = Postgres::start() else { return };
    let store = SqlStore::connect(server.url()).await.unwrap();
    count_a_month("PostgreSQL", &store).await;
    read_a_month("PostgreSQL", &store).await;
    read_a_month("PostgreSQL, again", &store).await;
}
