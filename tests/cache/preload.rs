//! A limiter loads the counters of an account while a store in memory loads a record.

use std::future::ready;
use std::sync::{Arc, Mutex};

use http::Request;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::key::{Account, CounterPlace, KeyHasher, KeyRecord};
use tower_api_key::limits::{Charge, Limiter, LimiterError, MemoryLimiter};
use tower_api_key::quota::{OnLimiterFailure, Verdict};
use tower_api_key::store::{Cached, KeyStore, MemoryStore};
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
    for _ in 0..requests {
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

#[tokio::test]
async fn a_limiter_is_not_asked_to_load_what_nobody_has_counted() {
    assert!(loaded(store(), 1).await.is_empty());
    assert!(loaded(Cached::new(store()), 2).await.is_empty());
}
