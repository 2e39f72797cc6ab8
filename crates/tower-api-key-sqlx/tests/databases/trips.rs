//! How many round trips a lookup takes, and for how long it keeps its connection.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;
use tower_api_key::store::{KeyManager, KeyStore};
use tower_api_key_sqlx::SqlStore;

use crate::distance::Distance;
use crate::postgres::{Postgres, url_at};
use crate::{digest, key};

const TRIP: Duration = Duration::from_millis(20);

/// Returns a store with so many connections, each of which has looked up a key before.
async fn warm(relay: &Distance, connections: u32) -> SqlStore {
    let builder = SqlStore::builder(url_at(relay.port())).max_connections(connections);
    // Many wait at once, and the machine may be busy.
    let store = builder.connect().await.unwrap().with_lookup_timeout(1_000 * TRIP);
    store.add(key("good"), "test").await.unwrap();
    at_once(&store, connections as usize).await;
    at_once(&store, connections as usize).await;
    // What a pool does with returned connections is over.
    tokio::time::sleep(3 * TRIP).await;
    store
}

async fn at_once(store: &SqlStore, lookups: usize) {
    let finding = (0..lookups).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { store.find(&digest("good")).await.unwrap().unwrap() })
    });
    for found in finding.collect::<Vec<_>>() {
        found.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lookup_keeps_its_connection_for_one_round_trip() {
    let Some(server) = Postgres::start() else { return };
    let relay = Distance::to(server.port(), TRIP).await;
    let store = warm(&relay, 1).await;
    let (trips, opened) = (relay.trips(), relay.opened());
    for _ in 0..10 {
        store.find(&digest("good")).await.unwrap().unwrap();
        assert!(store.find(&digest("unknown")).await.unwrap().is_none());
    }
    tokio::time::sleep(3 * TRIP).await;
    assert_eq!(relay.trips() - trips, 20);
    assert_eq!(relay.opened(), opened);
}

/// One by one, 10 connections at 20 ms answer up to 500 lookups a second. Trips are counted, because a busy machine is slower.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lookups_that_wait_for_a_connection_far_away_share_round_trips() {
    const LOOKUPS: usize = 600;
    let Some(server) = Postgres::start() else { return };
    let relay = Distance::to(server.port(), TRIP).await;
    let store = warm(&relay, 10).await;
    let (trips, began) = (relay.trips(), Instant::now());
    at_once(&store, LOOKUPS).await;
    let rate = 600.0 / began.elapsed().as_secs_f64();
    println!("10 connections, round trip of 20 ms: {rate:.0} lookups/s");
    tokio::time::sleep(3 * TRIP).await;
    // At most 16 go together. A connection that was opened late, or prepares a statement, has a few more.
    let trips = relay.trips() - trips;
    assert!((LOOKUPS / 16..LOOKUPS / 4).contains(&trips), "{trips} round trips");
}

/// Polls once, and hangs up.
async fn hangs_up(asked: impl Future<Output = impl Sized>) {
    let mut asked = pin!(asked);
    poll_fn(|context| Poll::Ready(asked.as_mut().poll(context).is_pending())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_hangs_up_costs_no_connection() {
    let Some(server) = Postgres::start() else { return };
    let relay = Distance::to(server.port(), TRIP).await;
    let store = warm(&relay, 2).await;
    let opened = relay.opened();
    for _ in 0..20 {
        hangs_up(store.find(&digest("good"))).await;
        let _ = tokio::time::timeout(TRIP / 2, store.find(&digest("good"))).await;
        assert!(store.find(&digest("unknown")).await.unwrap().is_none(), "no answer is mixed up");
        assert!(store.find(&digest("good")).await.unwrap().is_some());
    }
    assert_eq!(relay.opened(), opened);
}
