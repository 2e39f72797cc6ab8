//! Keys that are rotated often, and what becomes of their old secrets, in every store.

use std::time::{Duration, Instant};

use tower_api_key::clock::{Clock, ManualClock, Timestamp};
use tower_api_key::store::{
    Cached, Invalidation, Invalidations, KeyManager, KeyState, ManageError, MemoryStore, Version,
};
use tower_api_key_sqlx::SqlStore;

use crate::postgres::Postgres;
use crate::{digest, key};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Rotates at once; returns how many secrets the key has then.
async fn rotate(store: &dyn KeyManager, number: usize, until: Timestamp) -> usize {
    let secret = digest(&format!("secret {number}"));
    store.rotate("key", secret, until, "test").await.unwrap().secrets.len()
}

async fn forgets_in_time(store: &dyn KeyManager, clock: &ManualClock) {
    store.add(key("key"), "test").await.unwrap();
    let secrets = async || store.get("key").await.unwrap().unwrap().secrets.len();
    // An instant that has passed ends a secret now, and its time begins now, too.
    assert_eq!(rotate(store, 1, Timestamp::from_unix_seconds(5)).await, 2);
    clock.advance(HOUR);
    assert_eq!(rotate(store, 2, clock.now().plus(DAY)).await, 3);
    clock.advance(22 * HOUR);
    assert_eq!(secrets().await, 3);
    assert!(store.find(&digest("key")).await.unwrap().unwrap().expires().is_some());
    clock.advance(HOUR);
    assert_eq!(secrets().await, 2, "the first has ended a day ago");
    assert_eq!(rotate(store, 3, NOW).await, 3);
    assert!(store.find(&digest("key")).await.unwrap().is_none(), "it is removed");
    assert!(store.find(&digest("secret 1")).await.unwrap().is_some(), "it ended a moment ago");
    let uses = vec![(digest("key"), clock.now()), (digest("secret 3"), clock.now())];
    store.note_uses(uses).await.unwrap();
    clock.advance(365 * DAY);
    assert_eq!(secrets().await, 1, "what serves stays");
    assert_eq!(rotate(store, 4, clock.now().plus(HOUR)).await, 2);
    assert!(store.find(&digest("secret 3")).await.unwrap().is_some());
    store.add(key("another"), "test").await.unwrap();
    let free = store.rotate("another", digest("key"), clock.now(), "test").await;
    assert!(free.is_ok() || store.find(&digest("key")).await.unwrap().is_some());
}

async fn keeps_few(store: &dyn KeyManager, rotations: usize) -> Duration {
    store.add(key("key"), "test").await.unwrap();
    let began = Instant::now();
    for number in 0..rotations {
        let secrets = rotate(store, number, Timestamp::from_unix_seconds(5)).await;
        assert!(secrets <= 34, "{secrets} secrets are kept");
    }
    let took = began.elapsed();
    assert!(store.find(&digest(&format!("secret {}", rotations - 1))).await.unwrap().is_some());
    println!("{rotations} rotations took {took:?}");
    took
}

async fn refuses_what_serves_no_more(store: &dyn KeyManager) {
    store.add(key("key"), "test").await.unwrap();
    store.revoke("key", "test").await.unwrap();
    let refused = store.rotate("key", digest("x"), NOW, "test").await.unwrap_err();
    assert!(matches!(refused, ManageError::NotActive(KeyState::Revoked)), "{refused:?}");
    assert!(refused.to_string().contains("issue another key"), "{refused}");
    assert_eq!(store.changes(0, 10).await.unwrap().len(), 2, "no line for what was not done");
}

#[tokio::test]
async fn old_secrets_in_memory_are_forgotten_in_time() {
    let clock = ManualClock::starting_at(NOW);
    let store = MemoryStore::with_clock(clock.clone()).keep_ended_secrets(DAY);
    forgets_in_time(&store, &clock).await;
    refuses_what_serves_no_more(&MemoryStore::new()).await;
    refuses_what_serves_no_more(&Cached::new(MemoryStore::new())).await;
    let took = keeps_few(&MemoryStore::new(), 4_000).await;
    assert!(took < Duration::from_secs(3), "{took:?}");
}

async fn sqlite(clock: &ManualClock) -> SqlStore {
    let builder = SqlStore::builder("sqlite::memory:").keep_ended_secrets(DAY);
    builder.clock(clock.clone()).connect().await.unwrap()
}

#[tokio::test]
async fn old_secrets_in_sqlite_are_forgotten_in_time() {
    let clock = ManualClock::starting_at(NOW);
    forgets_in_time(&sqlite(&clock).await, &clock).await;
    refuses_what_serves_no_more(&sqlite(&clock).await).await;
    keeps_few(&sqlite(&clock).await, 4_000).await;
}

#[tokio::test]
async fn old_secrets_in_postgres_are_forgotten_in_time() {
    let Some(server) = Postgres::start() else { return };
    let clock = ManualClock::starting_at(NOW);
    let connect = async |schema: &str| {
        let builder = SqlStore::builder(server.url()).schema(schema).keep_ended_secrets(DAY);
        builder.clock(clock.clone()).connect().await.unwrap()
    };
    forgets_in_time(&connect("one").await, &clock).await;
    refuses_what_serves_no_more(&connect("two").await).await;
    keeps_few(&connect("three").await, 400).await;
}

/// A cache elsewhere has to forget all secrets of a key that is edited, and the new one of a rotation.
#[tokio::test]
async fn a_change_of_a_key_is_told_of_each_of_its_secrets() {
    let Some(server) = Postgres::start() else { return };
    let store = SqlStore::connect(server.url()).await.unwrap();
    store.add(key("key"), "test").await.unwrap();
    let mut changes = store.invalidations().unwrap().prove_every(HOUR);
    assert_eq!(changes.next().await.unwrap(), Invalidation::Everything);
    store.rotate("key", digest("second"), Timestamp::MAX, "test").await.unwrap();
    store.update("key", Box::new(|key| key.name("renamed")), "test").await.unwrap();
    for secret in ["key", "second", "second", "key"] {
        assert_eq!(changes.next().await.unwrap(), Invalidation::Secret(digest(secret)));
    }
}

/// An operator who saw the key before the rotation must not overwrite it.
#[tokio::test]
async fn a_rotation_after_a_clock_was_set_back_changes_the_version() {
    let clock = ManualClock::starting_at(NOW);
    let store = SqlStore::connect("sqlite::memory:").await.unwrap().with_clock(clock.clone());
    store.add(key("key"), "test").await.unwrap();
    let before = Version::of_key(&store.get("key").await.unwrap().unwrap());
    clock.set(Timestamp::from_unix_seconds(1_600_000_000));
    let rotated = store.rotate("key", digest("new"), NOW.plus(DAY), "test").await.unwrap();
    assert_eq!(rotated.secrets[0].digest, digest("new"));
    assert_ne!(Version::of_key(&rotated), before);
}
