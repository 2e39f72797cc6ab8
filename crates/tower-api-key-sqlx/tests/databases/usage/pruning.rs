//! Tests how long usage is kept.

use std::time::Duration;

use tower_api_key::clock::ManualClock;
use tower_api_key::decision::RequestDecision::{Admitted, Refused};
use tower_api_key::store::KeyManager;
use tower_api_key::usage::{TopKeysQuery, UsageGroup, UsageQuery, UsageReader};
use tower_api_key_sqlx::{SqlStore, UsageRetention};

use crate::key;

use super::support::{BY_ALL, at, cell, lines, usage_test, write, year};

const DAY: u64 = 24;

async fn old_hours_become_days_and_old_days_are_deleted(store: SqlStore) {
    let clock = ManualClock::starting_at(at(50 * DAY + 5));
    let store = store.with_clock(clock.clone());
    store.add(key("acme_1"), "test").await.unwrap();
    let mut cells = vec![
        cell(0, "acme_1", "/a", Admitted, 1),
        cell(3, "acme_1", "/a", Admitted, 20),
        cell(3, "acme_1", "/a", Refused, 300),
        cell(23, "acme_1", "/b", Admitted, 4_000),
        // The first day that is kept by hour.
        cell(15 * DAY + 2, "acme_1", "/a", Admitted, 5),
    ];
    // More than one transaction moves at once, and an hour of keys only.
    cells.extend((0..10_500).map(|key| cell(7, &format!("other_{key}"), "/a", Admitted, 1)));
    write(&store, 1, cells).await;
    let days = || year().by([UsageGroup::Day]);
    let before = lines(&store, days()).await;
    for _ in 0..2 {
        store.prune_usage(UsageRetention::default()).await.unwrap();
        assert_eq!(
            lines(&store, year().key("acme_1").by(BY_ALL)).await,
            ["0 /a admitted 21", "0 /a refused 300", "0 /b admitted 4000", "362 /a admitted 5"]
        );
        assert_eq!(
            lines(&store, year().account("acme").by([UsageGroup::Hour])).await,
            ["0 4321", "362 5"]
        );
        assert_eq!(lines(&store, days()).await, before);
        assert!(store.last_use("acme_1").await.unwrap().is_some());
        assert!(store.last_use("other_1").await.unwrap().is_none(), "there is no such key");
        assert_eq!(lines(&store, year().key("other_10499").by([UsageGroup::Hour])).await, ["0 1"]);
    }
    // An hour of a day that was rolled up asks for the whole day only with its first hour.
    let second = UsageQuery::between(at(1), at(DAY));
    assert_eq!(lines(&store, second.key("acme_1")).await, ["0"]);

    clock.set(at(401 * DAY));
    store.prune_usage(UsageRetention::default()).await.unwrap();
    assert_eq!(lines(&store, year().by([UsageGroup::Day])).await, ["360 5"]);
    assert!(store.last_use("acme_1").await.unwrap().is_some());
    // The sums of a month are kept until the month after it is old.
    assert_eq!(store.top_keys(&TopKeysQuery::month_of(at(0))).await.unwrap().len(), 100);

    clock.set(at(500 * DAY));
    let week = Duration::from_secs(7 * 24 * 60 * 60);
    store.prune_usage(UsageRetention::default().hours(week).days(week)).await.unwrap();
    assert_eq!(lines(&store, year()).await, ["0"]);
    assert!(store.last_use("acme_1").await.unwrap().is_none());
    assert!(store.top_keys(&TopKeysQuery::month_of(at(0))).await.unwrap().is_empty());
}

usage_test!(
    old_hours_become_days_and_old_days_are_deleted,
    old_usage_of_sqlite_is_pruned,
    old_usage_of_postgres_is_pruned
);

/// A batch is written after its key was deleted, and another key gets the id.
async fn a_new_key_has_no_last_use(store: SqlStore) {
    write(&store, 1, vec![cell(0, "acme_1", "/a", Admitted, 1)]).await;
    assert!(store.last_use("acme_1").await.unwrap().is_some());
    store.add(key("acme_1"), "test").await.unwrap();
    assert!(store.last_use("acme_1").await.unwrap().is_none());
    assert_eq!(store.get("acme_1").await.unwrap().unwrap().last_network, None);
}

usage_test!(
    a_new_key_has_no_last_use,
    a_new_key_of_sqlite_has_no_last_use,
    a_new_key_of_postgres_has_no_last_use
);

/// A process that could not reach the database writes its batch again a day later.
async fn a_batch_counts_once_also_after_a_prune(store: SqlStore) {
    let clock = ManualClock::starting_at(at(50 * DAY));
    let store = store.with_clock(clock.clone());
    let again = || vec![cell(50 * DAY, "acme_1", "/a", Admitted, 1)];
    write(&store, 1, again()).await;
    clock.set(at(51 * DAY + 12));
    let hour = Duration::from_secs(3_600);
    store.prune_usage(UsageRetention::default().hours(hour).days(24 * hour)).await.unwrap();
    write(&store, 1, again()).await;
    assert_eq!(lines(&store, year()).await, ["1"]);
}

usage_test!(
    a_batch_counts_once_also_after_a_prune,
    a_batch_counts_once_also_after_a_prune_of_sqlite,
    a_batch_counts_once_also_after_a_prune_of_postgres
);
