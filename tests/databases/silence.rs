//! A PostgreSQL behind a network that loses what is sent, without a word.

use std::time::{Duration, Instant};

use tower_api_key::store::{
    Invalidation, Invalidations, KeyFilter, KeyManager, KeyStore, SqlStore,
};

use crate::postgres::{Postgres, url_at};
use crate::relay::Relay;
use crate::{digest, key};

const SHORT: Duration = Duration::from_millis(200);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_postgres_fails_every_question_in_time() {
    let Some(server) = Postgres::start() else { return };
    let relay = Relay::to(server.port()).await;
    let store = SqlStore::connect(&url_at(relay.port())).await.unwrap().timeout(SHORT);
    store.add(key("good"), "test").await.unwrap();
    relay.falls_silent(true);
    let began = Instant::now();
    assert!(store.find(&digest("good")).await.is_err());
    assert!(store.get("good").await.is_err());
    assert!(store.list(&KeyFilter::default(), None, 10).await.is_err());
    assert!(store.find_account("acme").await.is_err());
    assert!(store.list_accounts(None, 10).await.is_err());
    assert!(store.changes(0, 10).await.is_err());
    let took = began.elapsed();
    assert!(took >= 6 * SHORT && took < 12 * SHORT, "six questions took {took:?}");
    relay.falls_silent(false);
    // Nothing tells a silent connection from a slow one, so each is found out by one question.
    let recovers = async { while store.find(&digest("good")).await.is_err() {} };
    tokio::time::timeout(20 * SHORT, recovers).await.expect("new connections are made");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_that_hears_nothing_asks_whether_anybody_is_there() {
    let Some(server) = Postgres::start() else { return };
    let relay = Relay::to(server.port()).await;
    let store = SqlStore::connect(&url_at(relay.port())).await.unwrap().timeout(SHORT);
    let mut changes = store.invalidations().unwrap().asking_after(SHORT);
    assert_eq!(changes.next().await.unwrap(), Invalidation::Everything, "before it listened");
    // Asks a few times and goes on listening.
    let quiet = tokio::time::timeout(5 * SHORT, changes.next()).await;
    assert!(quiet.is_err(), "nothing has changed: {quiet:?}");
    store.add(key("one"), "test").await.unwrap();
    assert_eq!(changes.next().await.unwrap(), Invalidation::Added);
    relay.falls_silent(true);
    let lost = tokio::time::timeout(10 * SHORT, changes.next()).await;
    assert!(lost.expect("the silence is noticed").is_err());
    relay.falls_silent(false);
    assert_eq!(changes.next().await.unwrap(), Invalidation::Everything, "word was lost");
}
