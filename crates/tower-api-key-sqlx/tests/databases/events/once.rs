//! One event for each occasion, however many processes record it.

use std::time::Duration;

use tower_api_key::clock::ManualClock;
use tower_api_key::events::{EventKind, EventLog, EventSubject, Occurrence};
use tower_api_key::key::KeyDigest;
use tower_api_key::store::KeyManager;
use tower_api_key_sqlx::SqlStore;

use super::{Database, start, store, written};
use crate::postgres::Postgres;
use crate::{digest, key};

const HOUR: Duration = Duration::from_secs(3_600);

fn of(kind: EventKind, key: &str) -> Occurrence {
    Occurrence::new(kind, EventSubject::Key(key.to_owned()), start())
}

pub(super) async fn many_processes_write_one_event(database: Database) {
    let clock = ManualClock::starting_at(start());
    let first = store(&database, &clock).await;
    first.add(key("a"), "ada").await.unwrap();
    let recording = (0..6).map(|_| {
        let database = database.clone();
        let clock = clock.clone();
        tokio::spawn(async move {
            let store = store(&database, &clock).await;
            let elsewhere = of(EventKind::UsedElsewhere, "a").once("hour", start().plus(HOUR));
            store.record(vec![of(EventKind::FirstUse, "a"), elsewhere]).await.unwrap()
        })
    });
    let mut sum = 0;
    for recorded in recording.collect::<Vec<_>>() {
        sum += recorded.await.unwrap();
    }
    assert_eq!(sum, 2);
    assert_eq!(written(&first).await, ["key.created a", "key.first_use a", "key.used_elsewhere a"]);
}

pub(super) async fn an_occasion_ends(database: Database) {
    let store = store(&database, &ManualClock::starting_at(start())).await;
    store.add(key("a"), "ada").await.unwrap();
    store.add(key("b"), "ada").await.unwrap();
    let seen = |key: &str, minutes: u64| {
        let now = start().plus(Duration::from_secs(minutes * 60));
        let subject = EventSubject::Digest(digest(key));
        Occurrence::new(EventKind::SeenInClear, subject, now).once("hour", now.plus(HOUR))
    };
    let unknown = KeyDigest::from_bytes([9; 32]);
    let unknown = Occurrence::new(EventKind::SeenInClear, EventSubject::Digest(unknown), start());
    for (occurrence, expected) in [
        (seen("a", 0), 1),
        (seen("a", 59), 0),
        (seen("b", 59), 1),
        (seen("a", 60), 1),
        (seen("a", 61), 0),
        (unknown, 0),
        (of(EventKind::FirstUse, "nokey"), 0),
    ] {
        assert_eq!(
            store.record(vec![occurrence.clone()]).await.unwrap(),
            expected,
            "{occurrence:?}"
        );
    }
}

/// Anyone can send unknown keys over HTTP without TLS.
#[tokio::test]
async fn unknown_keys_seen_in_clear_wait_for_no_change() {
    let Some(server) = Postgres::start() else { return };
    let store = SqlStore::builder(server.url()).connect().await.unwrap();
    let pool = sqlx::PgPool::connect(server.url()).await.unwrap();
    let mut change = pool.begin().await.unwrap();
    let lock = "LOCK TABLE tower_api_key_changes, tower_api_key_events IN EXCLUSIVE MODE";
    sqlx::raw_sql(lock).execute(&mut *change).await.unwrap();
    let unknown = EventSubject::Digest(KeyDigest::from_bytes([9; 32]));
    let unknown = Occurrence::new(EventKind::SeenInClear, unknown, start());
    assert_eq!(store.record(vec![unknown; 300]).await.unwrap(), 0);
    change.rollback().await.unwrap();
}

pub(super) async fn keys_of_an_account_share_an_occasion(database: Database) {
    let store = store(&database, &ManualClock::starting_at(start())).await;
    store.add(key("a"), "ada").await.unwrap();
    store.add(key("b"), "ada").await.unwrap();
    let near = |key: &str| of(EventKind::NearLimit, key).once("80 day", start().plus(HOUR));
    let shared = |key: &str| near(key).once_for_account();
    assert_eq!(store.record(vec![shared("a"), shared("b")]).await.unwrap(), 1);
    assert_eq!(store.record(vec![near("a"), near("b"), near("b")]).await.unwrap(), 2);
}

/// Uses that were recorded before events were kept count.
pub(super) async fn a_key_that_was_used_before_has_no_first_use(database: Database) {
    let store = store(&database, &ManualClock::starting_at(start())).await;
    let later = start().plus(2 * HOUR);
    for id in ["old", "new"] {
        store.add(key(id), "ada").await.unwrap();
    }
    store.note_uses(vec![(digest("old"), start()), (digest("new"), later)]).await.unwrap();
    let uses = ["old", "new"]
        .map(|id| Occurrence::new(EventKind::FirstUse, EventSubject::Key(id.to_owned()), later));
    assert_eq!(store.record(uses.to_vec()).await.unwrap(), 1);
    assert_eq!(written(&store).await.last().unwrap(), "key.first_use new");
    // A key with the id of a deleted one has a first use of its own.
    store.delete("new", "ada").await.unwrap();
    store.add(key("new"), "ada").await.unwrap();
    assert_eq!(store.record(uses.to_vec()).await.unwrap(), 1);
}
