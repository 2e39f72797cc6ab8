//! Batches and questions for tests.

use tower_api_key::clock::Timestamp;
use tower_api_key::decision::RequestDecision;
use tower_api_key::key::{AccountId, KeyId};
use tower_api_key::usage::{
    LastUse, UsageBatch, UsageCell, UsageGroup, UsageHour, UsageQuery, UsageReader, UsageSink,
};
use tower_api_key_sqlx::SqlStore;

/// The first of November 2023, in seconds since 1970.
pub(super) const NOVEMBER: u64 = 1_698_796_800;

pub(super) fn hour(number: u64) -> UsageHour {
    UsageHour::from_number(NOVEMBER / 3_600 + number)
}

pub(super) fn at(number: u64) -> Timestamp {
    hour(number).start()
}

/// Returns the requests of a key in an hour after the first of November.
pub(super) fn cell(
    number: u64,
    key: &str,
    route: &str,
    decision: RequestDecision,
    requests: u64,
) -> UsageCell {
    let account = key.split('_').next().unwrap();
    let named =
        (!key.is_empty()).then(|| (KeyId::new(key).unwrap(), AccountId::new(account).unwrap()));
    UsageCell::new(hour(number), named, route, decision, requests)
}

/// Returns a batch of the only process of a test.
pub(super) fn batch(sequence: u64, cells: Vec<UsageCell>) -> UsageBatch {
    let used = |cell: &UsageCell| {
        let client = Some("192.0.2.77".parse().unwrap());
        Some((cell.key.clone()?, LastUse::new(cell.hour.start(), client)))
    };
    let uses: Vec<_> = cells.iter().filter_map(used).collect();
    UsageBatch::new([7; 16], sequence, cells, uses)
}

pub(super) async fn write(store: &SqlStore, sequence: u64, cells: Vec<UsageCell>) {
    store.write(&batch(sequence, cells)).await.unwrap();
}

/// Asks about a year around November.
pub(super) fn year() -> UsageQuery {
    UsageQuery::between(at(0), at(366 * 24))
}

/// Returns the answer as lines of `hour route decision requests`.
pub(super) async fn lines(store: &SqlStore, query: UsageQuery) -> Vec<String> {
    let counts = store.usage(&query).await.unwrap();
    let line = |count: &tower_api_key::usage::UsageCount| {
        let start = count.start.map(|start| (start.unix_seconds() - NOVEMBER) / 3_600);
        let start = start.map_or_else(String::new, |start| format!("{start} "));
        let route = count.route.as_ref().map_or_else(String::new, |route| format!("{route} "));
        let decision = count.decision.map_or_else(String::new, |name| format!("{name} "));
        format!("{start}{route}{decision}{}", count.requests)
    };
    counts.iter().map(line).collect()
}

pub(super) const BY_ALL: [UsageGroup; 3] =
    [UsageGroup::Hour, UsageGroup::Route, UsageGroup::Decision];

/// Runs a test on both databases.
macro_rules! usage_test {
    ($name:ident, $sqlite:ident, $postgres:ident) => {
        #[tokio::test]
        async fn $sqlite() {
            let folder = crate::folder::Folder::new();
            $name(tower_api_key_sqlx::SqlStore::connect(&crate::sqlite(&folder)).await.unwrap())
                .await;
        }

        #[tokio::test]
        async fn $postgres() {
            let Some(server) = crate::postgres::Postgres::start() else { return };
            $name(tower_api_key_sqlx::SqlStore::connect(server.url()).await.unwrap()).await;
        }
    };
}

pub(super) use usage_test;
