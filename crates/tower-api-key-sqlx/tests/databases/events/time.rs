//! The events that come from time.

use std::sync::Arc;
use std::time::Duration;

use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::events::EventLog;
use tower_api_key::key::{Account, KeyRecord};
use tower_api_key::store::{KeyManager, NewKey};
use tower_api_key_sqlx::EventSweep;

use super::{Database, start, store, written};
use crate::{digest, key};

fn days(count: u64) -> Duration {
    Duration::from_secs(count * 86_400)
}

fn expiring(id: &str, expires: Timestamp) -> NewKey {
    let account = Arc::new(Account::builder("acme").build().unwrap());
    NewKey::new(digest(id), KeyRecord::builder(id, account).expires(expires).build().unwrap())
}

pub(super) async fn a_key_that_expires_has_each_event_once(database: Database) {
    let clock = ManualClock::starting_at(start());
    let store = store(&database, &clock).await;
    store.add(expiring("a", start().plus(days(100))), "ada").await.unwrap();
    store.add(expiring("short", start().plus(days(5))), "ada").await.unwrap();
    let mut found = Vec::new();
    for day in 0..=102 {
        // Two processes, one of which took the lease long ago.
        for _ in 0..2 {
            let sweep = EventSweep::new(store.clone()).unwrap().keep(days(1_000));
            if sweep.sweep().await.unwrap() > 0 {
                let last = store.events(0, 1_000).await.unwrap().pop().unwrap();
                found.push((day, last.kind.name(), last.key, last.data["expires"].clone()));
            }
            clock.advance(Duration::from_secs(61));
        }
        clock.set(start().plus(days(day + 1)));
    }
    let days: Vec<_> =
        found.iter().map(|(day, kind, key, _)| (*day, *kind, key.as_str())).collect();
    assert_eq!(
        days,
        [
            (4, "key.expiring", "short"),
            (5, "key.expired", "short"),
            (70, "key.expiring", "a"),
            (93, "key.expiring", "a"),
            (99, "key.expiring", "a"),
            (100, "key.expired", "a"),
        ]
    );
}

pub(super) async fn a_key_that_is_not_used_has_an_event(database: Database) {
    let clock = ManualClock::starting_at(start());
    let store = store(&database, &clock).await;
    for id in ["used", "idle", "revoked"] {
        store.add(key(id), "ada").await.unwrap();
    }
    store.revoke("revoked", "ada").await.unwrap();
    store.note_uses(vec![(digest("used"), start().plus(days(80)))]).await.unwrap();
    let sweep = EventSweep::new(store.clone()).unwrap().unused_days(90).keep(days(1_000));
    for (day, expected) in [(89, 0), (90, 1), (91, 0), (169, 0), (170, 1), (300, 0)] {
        clock.set(start().plus(days(day)));
        assert_eq!(sweep.sweep().await.unwrap(), expected, "day {day}");
    }
    let events = written(&store).await;
    assert_eq!(events[events.len() - 2..], ["key.unused idle", "key.unused used"]);
    store.note_uses(vec![(digest("idle"), start().plus(days(300)))]).await.unwrap();
    clock.set(start().plus(days(390)));
    assert_eq!(sweep.sweep().await.unwrap(), 1, "it was used, and then not again");
}

pub(super) async fn one_of_many_processes_sweeps(database: Database) {
    let clock = ManualClock::starting_at(start());
    let store = store(&database, &clock).await;
    store.add(expiring("a", start().plus(days(10))), "ada").await.unwrap();
    clock.set(start().plus(days(10)));
    let sweeping = (0..6).map(|_| {
        let sweep = EventSweep::new(store.clone()).unwrap();
        tokio::spawn(async move { sweep.sweep().await.unwrap() })
    });
    let mut sum = 0;
    for swept in sweeping.collect::<Vec<_>>() {
        sum += swept.await.unwrap();
    }
    assert_eq!(sum, 1);
}

pub(super) async fn old_events_are_deleted_and_numbers_go_on(database: Database) {
    let clock = ManualClock::starting_at(start());
    let store = store(&database, &clock).await;
    store.add(key("a"), "ada").await.unwrap();
    clock.set(start().plus(days(31)));
    EventSweep::new(store.clone()).unwrap().sweep().await.unwrap();
    assert!(written(&store).await.is_empty());
    store.add(key("b"), "ada").await.unwrap();
    assert_eq!(store.events(0, 10).await.unwrap()[0].sequence, 2);
}
