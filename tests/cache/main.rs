//! What a cache promises, of a store that does as it is told, and of the real ones in front of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod changes;
mod double;
mod eviction;
mod line;
mod management;
mod model;
mod outage;
mod preload;
mod proof;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::key::{Account, KeyDigest, KeyRecord};
use tower_api_key::store::{
    Cached, Invalidation, KeyFilter, KeyManager, KeyStore, MemoryStore, NewKey,
};
use tower_api_key::{ApiKeyLayer, vendors};

use double::{Double, Mood, digest};

const SECOND: Duration = Duration::from_secs(1);
const MOMENT: Duration = Duration::from_nanos(1);

fn cached(store: &Double) -> (Cached<Double>, ManualClock) {
    let clock = ManualClock::starting_at(Timestamp::from_unix_seconds(1_000_000));
    (Cached::builder(store.clone()).clock(clock.clone()).build(), clock)
}

/// Asks for a secret: whether a key serves, `None` if there is none, or that nobody could tell.
async fn ask(cache: &Cached<Double>, secret: &str) -> Result<Option<bool>, ()> {
    let found = cache.find(&digest(secret)).await.map_err(|_| ())?;
    Ok(found.map(|record| !record.is_revoked()))
}

const SERVES: Result<Option<bool>, ()> = Ok(Some(true));
const REVOKED: Result<Option<bool>, ()> = Ok(Some(false));
const UNKNOWN: Result<Option<bool>, ()> = Ok(None);
const NOBODY_KNOWS: Result<Option<bool>, ()> = Err(());

/// The memory store behind it.
mod memory {
    use tower_api_key::store::{Cached, MemoryStore};

    tower_api_key::store_tests!(|| Cached::new(MemoryStore::new()));
    tower_api_key::pepper_tests!(|| Cached::new(MemoryStore::new()));
}

#[tokio::test(start_paused = true)]
async fn a_thousand_at_once_ask_the_store_once() {
    for (mood, secret, expected) in [
        (Mood::Right, "good", SERVES),
        (Mood::Right, "unknown", UNKNOWN),
        (Mood::Down, "good", NOBODY_KNOWS),
        (Mood::Panics, "good", NOBODY_KNOWS),
        (Mood::Hangs, "good", NOBODY_KNOWS),
    ] {
        let store = Double::new(mood);
        let (cache, _) = cached(&store);
        let tasks: Vec<_> = (0..1_000)
            .map(|_| {
                let cache = cache.clone();
                tokio::spawn(async move { ask(&cache, secret).await })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), expected, "{mood:?}");
        }
        assert_eq!(store.asked(), 1, "{mood:?} {secret}");
        store.turns(Mood::Right);
        if expected == NOBODY_KNOWS {
            assert_eq!(ask(&cache, "good").await, SERVES, "a failure is not kept, {mood:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_revoked_key_serves_no_longer_than_the_staleness() {
    let store = Double::new(Mood::Right);
    let (cache, clock) = cached(&store);
    assert_eq!(ask(&cache, "good").await, SERVES);
    store.turns(Mood::Revoked);
    clock.advance((5 * SECOND).saturating_sub(MOMENT));
    assert_eq!((ask(&cache, "good").await, store.asked()), (SERVES, 1));
    clock.advance(MOMENT);
    assert_eq!(ask(&cache, "good").await, REVOKED);
    // A clock that is set back makes nothing younger.
    store.turns(Mood::Right);
    clock.set(Timestamp::from_unix_seconds(10));
    assert_eq!((ask(&cache, "good").await, store.asked()), (SERVES, 3));
}

#[tokio::test(start_paused = true)]
async fn the_age_begins_before_the_store_looks() {
    let store = Double::new(Mood::Waits);
    let (cache, clock) = cached(&store);
    let asking = tokio::spawn({
        let cache = cache.clone();
        async move { ask(&cache, "good").await }
    });
    tokio::task::yield_now().await;
    clock.advance(4 * SECOND);
    store.let_go();
    assert_eq!(asking.await.unwrap(), SERVES);
    store.turns(Mood::Revoked);
    clock.advance(SECOND);
    assert_eq!(ask(&cache, "good").await, REVOKED, "five seconds after it was asked");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_down_is_outlived_for_the_staleness_and_a_chosen_grace() {
    for (grace, serves_until) in [(Duration::ZERO, 5), (60 * SECOND, 65)] {
        let store = Double::new(Mood::Right);
        let clock = ManualClock::starting_at(Timestamp::from_unix_seconds(1_000_000));
        let cache = Cached::builder(store.clone()).clock(clock.clone()).grace(grace).build();
        assert_eq!(ask(&cache, "good").await, SERVES);
        store.turns(Mood::Down);
        clock.advance((serves_until * SECOND).saturating_sub(MOMENT));
        assert_eq!(ask(&cache, "good").await, SERVES);
        assert_eq!(ask(&cache, "unknown").await, NOBODY_KNOWS, "never that there is none");
        clock.advance(MOMENT);
        assert_eq!(ask(&cache, "good").await, NOBODY_KNOWS);
        store.turns(Mood::Revoked);
        assert_eq!(ask(&cache, "good").await, REVOKED, "a word of the store ends any grace");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_secret_is_remembered_for_a_second() {
    let store = Double::new(Mood::Right);
    let (cache, clock) = cached(&store);
    assert_eq!(ask(&cache, "unknown").await, UNKNOWN);
    assert_eq!((ask(&cache, "unknown").await, store.asked()), (UNKNOWN, 1));
    clock.advance(SECOND);
    assert_eq!((ask(&cache, "unknown").await, store.asked()), (UNKNOWN, 2));
    cache.invalidate(&Invalidation::Added);
    assert_eq!((ask(&cache, "unknown").await, store.asked()), (UNKNOWN, 3));
}

#[tokio::test(start_paused = true)]
async fn an_answer_from_before_an_invalidation_is_not_kept() {
    let acme = || Account::builder("acme").build().unwrap().id().clone();
    for what in [
        Invalidation::Secret(digest("good")),
        Invalidation::Account(acme()),
        Invalidation::Everything,
    ] {
        let store = Double::new(Mood::Waits);
        let (cache, _) = cached(&store);
        let asking = tokio::spawn({
            let cache = cache.clone();
            async move { ask(&cache, "good").await }
        });
        tokio::task::yield_now().await;
        assert_eq!(store.asked(), 1, "it is under way");
        // It was good when the store looked, and is revoked before the answer comes.
        store.turns(Mood::Revoked);
        cache.invalidate(&what);
        store.let_go();
        assert_eq!(asking.await.unwrap(), SERVES, "this request began before");
        assert_eq!(ask(&cache, "good").await, REVOKED, "{what:?}");
        cache.invalidate(&what);
        ask(&cache, "good").await.unwrap();
        assert_eq!(store.asked(), 3, "what is kept is forgotten, {what:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_an_answer_from_before_an_invalidation() {
    let store = Double::new(Mood::Waits);
    let (cache, _) = cached(&store);
    let early = tokio::spawn({
        let cache = cache.clone();
        async move { ask(&cache, "good").await }
    });
    tokio::task::yield_now().await;
    store.turns(Mood::Revoked);
    cache.invalidate(&Invalidation::Secret(digest("good")));
    assert_eq!(ask(&cache, "good").await, REVOKED, "while the early one still waits");
    store.let_go();
    assert_eq!(early.await.unwrap(), SERVES, "it began before");
    assert_eq!((ask(&cache, "good").await, store.asked()), (REVOKED, 2), "and is not kept");
}

#[tokio::test(start_paused = true)]
async fn an_answer_from_before_an_invalidation_is_not_taken_for_that_of_the_lookup_after_it() {
    let store = Double::new(Mood::Waits);
    let (cache, _) = cached(&store);
    let asking = || {
        let cache = cache.clone();
        tokio::spawn(async move { ask(&cache, "good").await })
    };
    let early = asking();
    tokio::task::yield_now().await;
    store.turns(Mood::Revoked);
    cache.invalidate(&Invalidation::Secret(digest("good")));
    let late = asking();
    tokio::task::yield_now().await;
    assert_eq!(store.asked(), 2, "both are under way");
    store.let_go();
    assert_eq!((early.await.unwrap(), late.await.unwrap()), (SERVES, REVOKED));
    assert_eq!((ask(&cache, "good").await, store.asked()), (REVOKED, 2), "the later one is kept");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_away_ends_no_lookup() {
    let store = Double::new(Mood::Waits);
    let (cache, _) = cached(&store);
    let first = tokio::spawn({
        let cache = cache.clone();
        async move { ask(&cache, "good").await }
    });
    tokio::task::yield_now().await;
    let second = tokio::spawn({
        let cache = cache.clone();
        async move { ask(&cache, "good").await }
    });
    tokio::task::yield_now().await;
    first.abort();
    store.let_go();
    assert_eq!((second.await.unwrap(), store.asked()), (SERVES, 1));
}

#[tokio::test(start_paused = true)]
async fn a_cache_tells_how_much_it_keeps() {
    let (cache, _) = cached(&Double::new(Mood::Right));
    let keeps = || (cache.len(), cache.is_empty(), cache.unknown_len());
    assert_eq!(keeps(), (0, true, 0));
    assert_eq!(ask(&cache, "good").await, SERVES);
    assert_eq!(keeps(), (1, false, 0));
    for secret in ["unknown", "another"] {
        assert_eq!(ask(&cache, secret).await, UNKNOWN);
    }
    assert_eq!(keeps(), (1, false, 2));
}

/// A line of a log names the store, and holds nothing of what is kept.
#[tokio::test]
async fn a_cache_is_printed_with_the_store_behind_it() {
    let builder = || Cached::builder(MemoryStore::new());
    assert!(format!("{:?}", builder()).starts_with("CachedBuilder"), "{:?}", builder());
    assert_eq!(format!("{:?}", builder().build()), "Cached(MemoryStore(0 keys))");
}

#[tokio::test]
async fn random_keys_evict_no_good_one_and_take_no_memory() {
    let store = MemoryStore::new();
    let account = Arc::new(Account::builder("acme").build().unwrap());
    for number in 0..1_000u32 {
        let record = KeyRecord::builder(format!("key_{number}"), Arc::clone(&account));
        store.add_now(digest(&number.to_string()), record.build().unwrap());
    }
    let cache = Cached::builder(store).capacity(1_000, 100).staleness(1_000 * SECOND).build();
    for number in 0..900u32 {
        assert!(cache.find(&digest(&number.to_string())).await.unwrap().is_some());
    }
    let kept = cache.len();
    for number in 0..50_000u64 {
        let mut random = [0; 32];
        random[..8].copy_from_slice(&number.to_le_bytes());
        assert!(cache.find(&KeyDigest::from_bytes(random)).await.unwrap().is_none());
    }
    assert_eq!(cache.len(), kept, "the good ones are still there");
    assert!(cache.unknown_len() <= 100, "{}", cache.unknown_len());
}

#[tokio::test(start_paused = true)]
async fn uses_are_noted_once_a_minute() {
    let database = MemoryStore::new();
    let account = Arc::new(Account::builder("acme").build().unwrap());
    let record = KeyRecord::builder("key_1", account).build().unwrap();
    database.add(NewKey::new(digest("good"), record), "test").await.unwrap();
    let at = Timestamp::from_unix_seconds;
    let clock = ManualClock::starting_at(at(1_000));
    let cache = Cached::builder(database.clone()).clock(clock.clone()).build();
    cache.find(&digest("good")).await.unwrap();
    tokio::spawn(cache.record_uses(Arc::new(database.clone())));
    let last_used = || async { database.get("key_1").await.unwrap().unwrap().last_used() };
    for (second, noted) in [(1_001, 1_001), (1_060, 1_001), (1_061, 1_061), (1_100, 1_061)] {
        clock.set(at(second));
        for _ in 0..100 {
            cache.find(&digest("good")).await.unwrap();
        }
        tokio::time::sleep(10 * SECOND).await;
        assert_eq!(last_used().await, Some(at(noted)), "at {second}");
    }
}

/// Neither a question whose key it is nor a request with a key that is refused for its state is a use.
#[tokio::test(start_paused = true)]
async fn only_valid_keys_are_used_and_only_by_requests() {
    let at = Timestamp::from_unix_seconds;
    let database = MemoryStore::new();
    let account = Arc::new(Account::builder("acme").build().unwrap());
    for id in ["asked", "revoked", "disabled", "expired", "early", "ends"] {
        let key = KeyRecord::builder(id, Arc::clone(&account)).expires(at(2_000));
        let key = match id {
            "revoked" => key.revoked(true),
            "disabled" => key.disabled(true),
            "expired" => key.expires(at(1_000)),
            "early" => key.not_before(at(1_001)),
            _ => key,
        };
        database.add(NewKey::new(digest(id), key.build().unwrap()), "test").await.unwrap();
    }
    let clock = ManualClock::starting_at(at(1_000));
    let cache = Cached::builder(database.clone()).clock(clock.clone()).build();
    tokio::spawn(cache.record_uses(Arc::new(database.clone())));
    assert_eq!(cache.id_of(&digest("asked")).await.unwrap().unwrap(), "asked");
    assert!(cache.id_of(&digest("unknown")).await.unwrap().is_none());
    let used = async |now, expected: &[&str]| {
        clock.set(at(now));
        for id in ["revoked", "disabled", "expired", "early", "ends"] {
            assert!(cache.find(&digest(id)).await.unwrap().is_some(), "{id}");
        }
        tokio::time::sleep(10 * SECOND).await;
        let all = database.list(&KeyFilter::default(), None, 10).await.unwrap();
        let used = all.iter().filter(|key| key.last_used() == Some(at(now)));
        let used: Vec<_> = used.map(|key| key.record.id().as_str()).collect();
        assert_eq!(used, expected, "at {now}");
    };
    used(1_000, &["ends"]).await;
    used(1_999, &["early", "ends"]).await;
    used(2_100, &[]).await; // the last instants of both were longer ago than a minute
    let asked = database.get("asked").await.unwrap().unwrap();
    assert_eq!(asked.last_used(), None);
}

#[tokio::test(start_paused = true)]
async fn a_kept_record_serves_within_its_own_dates_only() {
    let at = Timestamp::from_unix_seconds;
    let database = MemoryStore::new();
    let account = Arc::new(Account::builder("acme").build().unwrap());
    let record = KeyRecord::builder("key_1", account).not_before(at(1_001)).expires(at(1_003));
    database.add_now(digest("a-key-of-acme-with-dates"), record.build().unwrap());
    let clock = ManualClock::starting_at(at(1_000));
    let cache = Cached::builder(database).clock(clock.clone()).build();
    let gate = ApiKeyLayer::builder(vendors::REST_INTEGRATIONS, cache.clone())
        .clock(clock.clone())
        .assume_https()
        .without_limits()
        .build()
        .unwrap();
    let service = gate.layer(service_fn(|_: Request<()>| async {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    }));
    for (second, status) in [(1_000, 401), (1_001, 200), (1_002, 200), (1_003, 401)] {
        clock.set(at(second));
        let request = Request::get("/").header("authorization", "Bearer a-key-of-acme-with-dates");
        let answer = service.clone().oneshot(request.body(()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), status, "at {second}");
        assert_eq!(cache.len(), 1, "kept all the while");
    }
}
