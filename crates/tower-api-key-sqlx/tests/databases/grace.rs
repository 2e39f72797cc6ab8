//! A cache that hears of changes and has a grace, when its PostgreSQL stops, falls silent, and comes back.

use std::time::{Duration, Instant};

use tower_api_key::store::{Cached, KeyManager, KeyStore};
use tower_api_key_sqlx::SqlStore;

use crate::postgres::{Postgres, url_at};
use crate::relay::Relay;
use crate::{digest, key};

const STALENESS: Duration = Duration::from_secs(1);
const GRACE: Duration = Duration::from_secs(6);
/// What "at once" may take on a busy machine, and far less than a lookup's timeout.
const AT_ONCE: Duration = Duration::from_secs(1);
const TIMEOUT: Duration = Duration::from_secs(2);

async fn listening(database: &SqlStore, grace: Duration) -> Cached<SqlStore> {
    let cache = Cached::builder(database.clone()).staleness(STALENESS).grace(grace);
    let cache = cache.timeout(TIMEOUT).build();
    let changes = database.invalidations().unwrap().probe_after(Duration::from_millis(200));
    tokio::spawn(cache.listen(changes));
    // Until it listens, and has heard that anything may have changed before.
    tokio::time::sleep(Duration::from_millis(500)).await;
    cache
}

/// Whether the key serves, and how long that took to be answered; an error if nobody could tell.
async fn ask(cache: &Cached<SqlStore>) -> (Result<bool, ()>, Duration) {
    let began = Instant::now();
    let found = cache.find(&digest("good")).await.map_err(|_| ());
    (found.map(|record| record.is_some_and(|record| !record.is_revoked())), began.elapsed())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_is_stopped_is_outlived_though_its_word_is_lost() {
    let Some(mut server) = Postgres::start() else { return };
    let database = SqlStore::connect(server.url()).await.unwrap();
    database.add(key("good"), "test").await.unwrap();
    let cache = listening(&database, GRACE).await;
    assert_eq!(ask(&cache).await.0, Ok(true));
    let kept = Instant::now();
    server.stop_immediately();
    // The first may wait for a lookup, and the others may not.
    let (first, took) = ask(&cache).await;
    assert!(first == Ok(true) && took < TIMEOUT + AT_ONCE, "{first:?} after {took:?}");
    let mut waited = Vec::new();
    while kept.elapsed() + AT_ONCE < STALENESS + GRACE {
        let at = kept.elapsed();
        let (answer, took) = ask(&cache).await;
        assert_eq!(answer, Ok(true), "{at:?} after it was kept");
        if took > AT_ONCE {
            waited.push((at, took));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // A record that was old when the store was not yet known to fail waits for one lookup.
    assert!(waited.len() <= 1, "these waited: {waited:?}");
    tokio::time::sleep((STALENESS + GRACE).saturating_sub(kept.elapsed())).await;
    assert_eq!(ask(&cache).await.0, Err(()), "after staleness and grace");
    // What is changed before the cache listens again nobody hears of.
    server.start_again();
    while database.revoke("good", "test").await.is_err() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let back = Instant::now();
    while ask(&cache).await.0 != Ok(false) {
        assert!(back.elapsed() < Duration::from_secs(15), "it is never found");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_grace_the_staleness_is_outlived_and_no_more() {
    let Some(mut server) = Postgres::start() else { return };
    let database = SqlStore::connect(server.url()).await.unwrap();
    database.add(key("good"), "test").await.unwrap();
    let staleness = Duration::from_secs(4);
    let cache = Cached::builder(database.clone()).staleness(staleness).timeout(AT_ONCE).build();
    tokio::spawn(cache.listen(database.invalidations().unwrap()));
    tokio::time::sleep(AT_ONCE).await;
    assert_eq!(ask(&cache).await.0, Ok(true));
    let kept = Instant::now();
    server.stop_immediately();
    while kept.elapsed() + 2 * AT_ONCE < staleness {
        assert_eq!(ask(&cache).await.0, Ok(true), "{:?} after it was kept", kept.elapsed());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tokio::time::sleep(staleness.saturating_sub(kept.elapsed())).await;
    assert_eq!(ask(&cache).await.0, Err(()), "after the staleness");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_falls_silent_makes_one_request_wait() {
    let Some(server) = Postgres::start() else { return };
    let relay = Relay::to(server.port()).await;
    let database = SqlStore::connect(&url_at(relay.port())).await.unwrap();
    database.add(key("good"), "test").await.unwrap();
    let cache = listening(&database, GRACE).await;
    assert_eq!(ask(&cache).await.0, Ok(true));
    let kept = Instant::now();
    relay.falls_silent(true);
    tokio::time::sleep(STALENESS).await;
    let (first, took) = ask(&cache).await;
    assert!(first == Ok(true) && took < TIMEOUT + AT_ONCE, "{first:?} after {took:?}");
    while kept.elapsed() + AT_ONCE < STALENESS + GRACE {
        let (answer, took) = ask(&cache).await;
        assert!(answer == Ok(true) && took < AT_ONCE, "{answer:?} after {took:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
