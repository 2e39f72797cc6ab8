//! A limiter loads the counters of an account while a store in memory loads a record.

use std::future::ready;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Request;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::clock::ManualClock;
use tower_api_key::key::{Account, CounterPlace, KeyDigest, KeyHasher, KeyRecord, SharedRecord};
use tower_api_key::limits::{Charge, Limiter, LimiterError, MemoryLimiter};
use tower_api_key::quota::{OnLimiterFailure, Verdict};
use tower_api_key::store::{Cached, KeyStore, MemoryStore, StoreError};
use tower_api_key::{ApiKeyLayer, Reply, vendors};

const SECRET: &str = "0123456789abcdef0123456789abcdef";
/// With fewer keys, all lies in the processor's cache.
const KEYS: usize = 20_000;

/// A limiter that remembers which counters it was asked to load.
#[derive(Clone)]
struct Loading {
    limiter: Arc<MemoryLimiter>,
    loaded: Arc<Mutex<Vec<CounterPlace>>>,
}

impl Limiter for Loading {
    fn charge(&self, charge: Charge<'_>) -> Reply<Result<Verdict, LimiterError>> {
        self.limiter.charge(charge)
    }

    fn preload(&self, place: CounterPlace) {
        self.loaded.lock().unwrap().push(place);
        self.limiter.preload(place);
    }
}

fn store() -> MemoryStore {
    let store = MemoryStore::new();
    let account = Arc::new(Account::builder("acme").build().unwrap());
    let texts = (1..KEYS).map(|number| number.to_string()).chain([SECRET.to_owned()]);
    for (number, text) in texts.enumerate() {
        let record = KeyRecord::builder(format!("key_{number}"), Arc::clone(&account)).build();
        store.add_now(KeyHasher::sha256().digest(text.as_bytes()), record.unwrap());
    }
    store
}

/// Sends requests with one key, and returns which counters were loaded.
async fn loaded(store: impl KeyStore, requests: usize) -> Vec<CounterPlace> {
    loaded_after(store, requests, |_| ()).await
}

/// Sends requests with one key. Calls `before` with the number of each. Returns which counters were loaded.
async fn loaded_after(
    store: impl KeyStore,
    requests: usize,
    before: impl Fn(usize),
) -> Vec<CounterPlace> {
    let (limiter, loaded) = (Arc::new(MemoryLimiter::new()), Arc::default());
    let limiter = Loading { limiter, loaded: Arc::clone(&loaded) };
    let gate = ApiKeyLayer::builder(vendors::REST_INTEGRATIONS, store)
        .limits(limiter, OnLimiterFailure::Deny)
        .assume_https()
        .build()
        .unwrap();
    let service = gate.layer(service_fn(|_| {
        ready(Ok::<_, std::convert::Infallible>(http::Response::new(String::new())))
    }));
    for number in 1..=requests {
        before(number);
        let request = Request::get("/").header("authorization", format!("Bearer {SECRET}"));
        let answer = service.clone().oneshot(request.body(()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), 200);
    }
    let loaded = loaded.lock().unwrap();
    loaded.clone()
}

#[tokio::test]
async fn counters_are_loaded_beside_a_record_from_the_third_request_on() {
    let loaded = loaded(store(), 5).await;
    assert_eq!(loaded.len(), 3, "{loaded:?}");
    assert!(loaded.iter().all(|place| *place == loaded[0]));
}

/// The first request is answered by the store, the second notes the place.
#[tokio::test]
async fn counters_are_loaded_beside_a_cached_record_from_the_fourth_request_on() {
    let loaded = loaded(Cached::new(store()), 5).await;
    assert_eq!(loaded.len(), 2, "{loaded:?}");
    assert!(loaded.iter().all(|place| *place == loaded[0]));
}

/// A store whose records are new ones each time, as those of a database are.
struct Remote;

impl KeyStore for Remote {
    fn find(&self, _: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        let account = Account::builder("acme").build().unwrap();
        Reply::now(Ok(Some(KeyRecord::builder("key", account).build().unwrap().into())))
    }
}

#[tokio::test]
async fn a_record_that_is_read_again_keeps_the_place_of_its_counters() {
    let clock = ManualClock::default();
    let cache = Cached::builder(Remote).clock(clock.clone()).build();
    // The fifth request finds a record that is too old, and the sixth its successor.
    let loaded = loaded_after(cache, 6, |request| {
        if request == 5 {
            clock.advance(Duration::from_secs(60));
        }
    });
    assert_eq!(loaded.await.len(), 3, "of the fourth request and both of them");
}

#[tokio::test]
async fn a_limiter_is_not_asked_to_load_what_nobody_has_counted() {
    assert!(loaded(store(), 1).await.is_empty());
    assert!(loaded(Cached::new(store()), 2).await.is_empty());
}
