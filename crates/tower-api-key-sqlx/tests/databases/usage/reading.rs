//! Tests what questions are answered with.

use tower_api_key::clock::Timestamp;
use tower_api_key::decision::RequestDecision::{Admitted, Anonymous, Refused};
use tower_api_key::usage::{TopKeysQuery, UsageGroup, UsageQuery, UsageReader};
use tower_api_key_sqlx::SqlStore;

use super::support::{BY_ALL, NOVEMBER, at, cell, lines, usage_test, write, year};

async fn requests_are_counted_by_key_account_route_decision_and_hour(store: SqlStore) {
    assert_eq!(lines(&store, year()).await, ["0"]);
    assert!(lines(&store, year().by(BY_ALL)).await.is_empty());
    write(
        &store,
        1,
        vec![
            cell(0, "acme_1", "/a", Admitted, 5),
            cell(0, "acme_1", "/b", Admitted, 1),
            cell(0, "acme_1", "/a", Refused, 2),
            cell(1, "acme_1", "/a", Admitted, 10),
            cell(30, "acme_2", "/a", Admitted, 100),
            cell(30, "other_1", "/a", Admitted, 1_000),
            cell(0, "", "/a", Anonymous, 7),
            cell(0, "", "", Refused, 3),
        ],
    )
    .await;
    write(&store, 2, vec![cell(0, "acme_1", "/a", Admitted, 20_000)]).await;

    assert_eq!(
        lines(&store, year().key("acme_1").by(BY_ALL)).await,
        ["0 /a admitted 20005", "0 /a refused 2", "0 /b admitted 1", "1 /a admitted 10"]
    );
    assert_eq!(
        lines(&store, year().account("acme").by([UsageGroup::Day])).await,
        ["0 20018", "24 100"]
    );
    assert_eq!(
        lines(&store, year().by([UsageGroup::Decision])).await,
        ["admitted 21116", "anonymous 7", "refused 5"]
    );
    assert_eq!(lines(&store, year().by([UsageGroup::Route])).await, [" 3", "/a 21124", "/b 1"]);
    assert_eq!(lines(&store, year().route("/b").account("acme")).await, ["1"]);
    assert_eq!(lines(&store, year().decision(Refused).key("acme_1")).await, ["2"]);
    assert_eq!(lines(&store, year().key("acme_1").account("other")).await, ["0"]);
    assert_eq!(lines(&store, year().account("")).await, ["0"]);
    assert_eq!(lines(&store, year().key("a\0b")).await, ["0"]);
    assert_eq!(lines(&store, year().by(BY_ALL).limit(1)).await, ["0  refused 3"]);
    let second = UsageQuery::between(at(1), at(2));
    assert_eq!(lines(&store, second.key("acme_1")).await, ["10"]);
    for (since, until) in [(at(2), at(1)), (Timestamp::MAX, Timestamp::MAX)] {
        assert_eq!(lines(&store, UsageQuery::between(since, until)).await, ["0"]);
    }
    let ever = UsageQuery::between(Timestamp::default(), Timestamp::MAX);
    assert_eq!(lines(&store, ever).await, ["21128"]);
}

usage_test!(
    requests_are_counted_by_key_account_route_decision_and_hour,
    requests_are_counted_in_sqlite,
    requests_are_counted_in_postgres
);

async fn the_busiest_keys_come_first(store: SqlStore) {
    const DECEMBER: u64 = 30 * 24;
    write(
        &store,
        1,
        vec![
            cell(5, "acme_1", "/a", Admitted, 5),
            cell(5, "acme_1", "/a", Refused, 2),
            cell(6, "acme_2", "/b", Admitted, 9),
            cell(7, "other_1", "/b", Refused, 100),
            cell(DECEMBER, "acme_1", "/b", Admitted, 50),
            cell(DECEMBER, "", "/b", Anonymous, 1_000),
            cell(DECEMBER + 800, "acme_2", "/b", Admitted, 1),
        ],
    )
    .await;
    let top = async |query: TopKeysQuery| {
        let keys = store.top_keys(&query).await.unwrap();
        keys.iter()
            .map(|key| format!("{} {} {}+{}", key.key, key.account, key.admitted, key.refused))
            .collect::<Vec<_>>()
    };
    let november = TopKeysQuery::month_of(Timestamp::from_unix_seconds(NOVEMBER + 1));
    assert_eq!(
        top(november.clone()).await,
        ["other_1 other 0+100", "acme_2 acme 9+0", "acme_1 acme 5+2"]
    );
    assert_eq!(top(november.clone().limit(1)).await, ["other_1 other 0+100"]);
    assert_eq!(top(november.account("acme")).await, ["acme_2 acme 9+0", "acme_1 acme 5+2"]);
    let months = |since, until| TopKeysQuery::months(at(since), at(until)).account("acme");
    assert_eq!(top(months(700, DECEMBER + 1)).await, ["acme_1 acme 55+2", "acme_2 acme 9+0"]);
    assert_eq!(
        top(months(DECEMBER + 5, DECEMBER + 801)).await,
        ["acme_1 acme 50+0", "acme_2 acme 1+0"]
    );
    assert_eq!(top(months(6, DECEMBER)).await, ["acme_2 acme 9+0", "acme_1 acme 5+2"]);
    assert!(top(months(6, 6)).await.is_empty());
    assert!(top(months(0, 800).account("a\0")).await.is_empty());
    let ever = TopKeysQuery::months(Timestamp::default(), Timestamp::MAX);
    assert_eq!(top(ever).await, ["other_1 other 0+100", "acme_1 acme 55+2", "acme_2 acme 10+0"]);
}

usage_test!(
    the_busiest_keys_come_first,
    the_busiest_keys_come_first_in_sqlite,
    the_busiest_keys_come_first_in_postgres
);

async fn the_last_use_of_a_key_has_the_clients_network(store: SqlStore) {
    assert_eq!(store.last_use("acme_1").await.unwrap(), None);
    write(&store, 1, vec![cell(5, "acme_1", "/a", Admitted, 1)]).await;
    write(&store, 2, vec![cell(3, "acme_1", "/a", Admitted, 1)]).await;
    let used = store.last_use("acme_1").await.unwrap().unwrap();
    assert_eq!((used.at, used.network.unwrap().to_string()), (at(5), "192.0.2.0/24".to_owned()));
    assert_eq!(store.last_use("\0").await.unwrap(), None);
}

usage_test!(
    the_last_use_of_a_key_has_the_clients_network,
    the_last_use_in_sqlite_has_the_clients_network,
    the_last_use_in_postgres_has_the_clients_network
);
