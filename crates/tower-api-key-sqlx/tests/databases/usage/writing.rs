//! Tests that a batch counts once, and that processes write at the same time.

use std::sync::Arc;

use tower_api_key::clock::Timestamp;
use tower_api_key::decision::RequestDecision::{Admitted, Refused};
use tower_api_key::key::{Account, KeyRecord};
use tower_api_key::store::{KeyFilter, KeyManager, NewKey};
use tower_api_key::usage::{LastUse, UsageBatch, UsageCell, UsageReader, UsageSink};
use tower_api_key_sqlx::SqlStore;

use super::support::{at, batch, cell, lines, usage_test, write, year};
use crate::digest;

/// What a gate and a reader of usage need privileges for.
pub(crate) async fn writes_and_reads(store: &SqlStore) {
    write(store, 1, vec![cell(0, "acme_1", "/a", Admitted, 5)]).await;
    write(store, 2, vec![cell(0, "acme_1", "/a", Admitted, 2)]).await;
    assert_eq!(lines(store, year().key("acme_1")).await, ["7"]);
}

async fn a_batch_that_is_written_again_counts_once(store: SqlStore) {
    let first = batch(1, vec![cell(0, "acme_1", "/a", Admitted, 5)]);
    for _ in 0..3 {
        store.write(&first).await.unwrap();
    }
    let second = batch(2, vec![cell(0, "acme_1", "/a", Admitted, 3)]);
    // A first try that is under way while the second one begins.
    let (one, other) = tokio::join!(store.write(&second), store.write(&second));
    one.unwrap();
    other.unwrap();
    store.write(&first).await.unwrap();
    let of_another = UsageBatch::new([8; 16], 1, [cell(0, "acme_1", "/a", Admitted, 100)], []);
    store.write(&of_another).await.unwrap();
    assert_eq!(lines(&store, year().key("acme_1")).await, ["108"]);
    assert_eq!(lines(&store, year().account("acme")).await, ["108"]);
    assert_eq!(lines(&store, year()).await, ["108"]);
}

usage_test!(
    a_batch_that_is_written_again_counts_once,
    a_batch_that_is_written_again_counts_once_in_sqlite,
    a_batch_that_is_written_again_counts_once_in_postgres
);

/// Each process has cells of the same keys, and the same sums.
async fn processes_write_at_the_same_time(store: SqlStore) {
    const PROCESSES: u8 = 4;
    const BATCHES: u64 = 3;
    const KEYS: u64 = 700;
    let cells = |process: u64| -> Vec<UsageCell> {
        // The order in which they were counted differs.
        (0..KEYS)
            .map(|key| (key + process * 100) % KEYS)
            .map(|key| cell(key % 3, &format!("account{}_{key}", key % 7), "/a", Refused, 1))
            .collect()
    };
    let tasks: Vec<_> = (0..PROCESSES)
        .map(|process| {
            let (store, cells) = (store.clone(), cells(process.into()));
            tokio::spawn(async move {
                for sequence in 1..=BATCHES {
                    let batch = UsageBatch::new([process; 16], sequence, cells.clone(), []);
                    store.write(&batch).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let all = u64::from(PROCESSES) * BATCHES;
    assert_eq!(lines(&store, year()).await, [(all * KEYS).to_string()]);
    assert_eq!(lines(&store, year().key("account5_5")).await, [all.to_string()]);
    assert_eq!(lines(&store, year().account("account6")).await, [(all * KEYS / 7).to_string()]);
}

usage_test!(
    processes_write_at_the_same_time,
    processes_write_to_sqlite_at_the_same_time,
    processes_write_to_postgres_at_the_same_time
);

async fn a_key_is_listed_with_the_network_of_its_last_use(store: SqlStore) {
    let acme = Arc::new(Account::builder("acme").build().unwrap());
    for id in ["acme_1", "acme_2"] {
        let record = KeyRecord::builder(id, Arc::clone(&acme)).build().unwrap();
        store.add(NewKey::new(digest(id), record), "test").await.unwrap();
    }
    let used = |client: &str| {
        let used = LastUse::new(at(1), Some(client.parse().unwrap()));
        vec![("acme_2".parse().unwrap(), used)]
    };
    store.write(&UsageBatch::new([1; 16], 1, [], used("2001:db8:1:2::3"))).await.unwrap();
    let listed = store.list(&KeyFilter::default(), None, 10).await.unwrap();
    let networks: Vec<_> = listed.iter().map(|key| key.last_network).collect();
    assert_eq!(networks, [None, Some("2001:db8:1::/48".parse().unwrap())]);
    assert_eq!(store.get("acme_2").await.unwrap().unwrap().last_network, networks[1]);

    // The network goes with its key.
    store.delete("acme_2", "test").await.unwrap();
    assert_eq!(store.last_use("acme_2").await.unwrap(), None);
    let used = vec![("acme_1".parse().unwrap(), LastUse::new(Timestamp::default(), None))];
    store.write(&UsageBatch::new([1; 16], 2, [], used)).await.unwrap();
    assert!(store.last_use("acme_1").await.unwrap().unwrap().network.is_none());
    store.delete_account("acme", "test").await.unwrap();
    assert_eq!(store.last_use("acme_1").await.unwrap(), None);
}

usage_test!(
    a_key_is_listed_with_the_network_of_its_last_use,
    a_key_of_sqlite_is_listed_with_the_network_of_its_last_use,
    a_key_of_postgres_is_listed_with_the_network_of_its_last_use
);
