//! Guesses that are made at the same time, while the store is slow to answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::Request;
use tokio::sync::Semaphore;
use tower_api_key::attempts::FailedAttempts;
use tower_api_key::key::{KeyDigest, KeyRecordBuilder, SharedRecord};
use tower_api_key::limits::{Charge, Limiter, LimiterError};
use tower_api_key::quota::{OnLimiterFailure, Quota, Verdict};
use tower_api_key::rules::{Route, Routes};
use tower_api_key::store::{KeyStore, MemoryStore, StoreError};
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, Reply};

use super::{START, from, guarded, guess, reason_for};
use crate::support::{KEY, PROFILE, Service, store};

const HOUR: Duration = Duration::from_secs(3_600);
const THREE: FailedAttempts = FailedAttempts::new(3, HOUR);
const HOME: &str = "192.0.2.1";

/// A store that answers when it is let, and counts who asked.
#[derive(Clone)]
struct Held {
    store: MemoryStore,
    asked: Arc<AtomicUsize>,
    answers: Arc<Semaphore>,
    fails: bool,
}

impl KeyStore for Held {
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let (answer, answers, fails) =
            (self.store.find(digest), Arc::clone(&self.answers), self.fails);
        Reply::later(async move {
            answers.acquire().await.unwrap().forget();
            if fails { Err(StoreError::new("down")) } else { answer.await }
        })
    }
}

impl Held {
    fn new(change: impl FnOnce(KeyRecordBuilder) -> KeyRecordBuilder) -> Self {
        Self {
            store: store(change),
            asked: Arc::default(),
            answers: Arc::new(Semaphore::new(0)),
            fails: false,
        }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn good(peer: &str) -> Request<()> {
    from(peer, Some(&format!("Bearer {KEY}")))
}

fn gate(held: &Held) -> ApiKeyLayerBuilder {
    ApiKeyLayer::builder(PROFILE, held.clone())
}

/// Sends a request, and lets it run until it is answered or waits for the store.
async fn begin(service: &Service, request: Request<()>) -> tokio::task::JoinHandle<&'static str> {
    let service = service.clone();
    let task = tokio::spawn(async move { reason_for(&service, request).await });
    tokio::task::yield_now().await;
    task
}

#[tokio::test]
async fn no_more_are_looked_up_at_once_than_may_fail() {
    let held = Held::new(|key| key);
    let (service, clock) = guarded(gate(&held), THREE);
    let mut guesses = Vec::new();
    for _ in 0..1_000 {
        guesses.push(begin(&service, guess(HOME)).await);
    }
    guesses.push(begin(&service, good(HOME)).await);
    guesses.push(begin(&service, from(HOME, Some("Bearer short"))).await);
    assert_eq!(held.asked(), 3);
    held.answers.add_permits(10_000);
    let mut answers = Vec::new();
    for guess in guesses {
        answers.push(guess.await.unwrap());
    }
    let unknown = answers.iter().filter(|answer| **answer == "key_unknown").count();
    let refused = answers.iter().filter(|answer| **answer == "too_many_failures").count();
    assert_eq!((unknown, refused), (3, 999));
    assert_eq!(reason_for(&service, good(HOME)).await, "too_many_failures");
    assert_eq!(held.asked(), 3);
    clock.advance(HOUR);
    assert_eq!(reason_for(&service, good(HOME)).await, "admitted");
}

#[tokio::test]
async fn another_network_is_looked_up_meanwhile() {
    let held = Held::new(|key| key);
    let (service, _) = guarded(gate(&held), THREE);
    let mut guesses = Vec::new();
    for _ in 0..4 {
        guesses.push(begin(&service, guess(HOME)).await);
    }
    let other = begin(&service, good("198.51.100.1")).await;
    assert_eq!(held.asked(), 4);
    held.answers.add_permits(10);
    assert_eq!(other.await.unwrap(), "admitted");
}

/// What ends a lookup without a failure.
type Ending = fn(&Held, tokio::task::JoinHandle<&'static str>);

#[tokio::test]
async fn an_attempt_that_does_not_fail_is_given_back() {
    let serves: Ending = |held, _| held.answers.add_permits(1);
    let hangs_up: Ending = |_, request| request.abort();
    let forbidden = |key: KeyRecordBuilder| key.scopes(["other"]);
    let elsewhere = |key: KeyRecordBuilder| key.networks(["10.0.0.0/8"]);
    let one = FailedAttempts::new(1, HOUR);
    for (why, held, end) in [
        ("the key serves", Held::new(|key| key.scopes(["read"])), serves),
        ("it lacks a scope", Held::new(forbidden), serves),
        ("it is used elsewhere", Held::new(elsewhere), serves),
        ("the store fails", Held { fails: true, ..Held::new(|key| key) }, serves),
        ("the client hangs up", Held::new(|key| key), hangs_up),
    ] {
        let routes = Routes::new().on(&[], "/", Route::new().all_of(&["read"]));
        let (service, _) = guarded(gate(&held).routes(routes), one.clone());
        for number in 1..=5 {
            let request = begin(&service, good(HOME)).await;
            assert_eq!(held.asked(), number, "{why}");
            assert_eq!(reason_for(&service, good(HOME)).await, "too_many_failures", "{why}");
            end(&held, request);
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
        }
    }
}

#[tokio::test]
async fn a_key_that_does_not_serve_is_not_given_back() {
    for change in [
        (|key| key.revoked(true)) as fn(KeyRecordBuilder) -> KeyRecordBuilder,
        |key| key.disabled(true),
        |key| key.expires(START),
    ] {
        let held = Held::new(change);
        held.answers.add_permits(10);
        let (service, _) = guarded(gate(&held), FailedAttempts::new(1, HOUR));
        assert_ne!(reason_for(&service, good(HOME)).await, "too_many_failures");
        assert_eq!(reason_for(&service, good(HOME)).await, "too_many_failures");
        assert_eq!(held.asked(), 1);
    }
}

/// A limiter that panics when it is asked, or when its answer is waited for.
#[derive(Clone, Copy)]
enum Panics {
    AtOnce,
    Later,
}

impl Limiter for Panics {
    fn charge(&self, _: Charge<'_>) -> Reply<Result<Verdict, LimiterError>> {
        match self {
            Self::AtOnce => panic!("at once"),
            Self::Later => Reply::later(async { panic!("later") }),
        }
    }
}

#[tokio::test]
async fn a_limiter_that_panics_keeps_no_attempt() {
    for panics in [Panics::AtOnce, Panics::Later] {
        let held = Held::new(|key| key.quotas([Quota::new("hour", 9, HOUR)]));
        held.answers.add_permits(10);
        let builder = gate(&held).limits(panics, OnLimiterFailure::Deny);
        let (service, _) = guarded(builder, FailedAttempts::new(1, HOUR));
        for number in 1..=3 {
            let request = begin(&service, good(HOME)).await;
            assert!(request.await.unwrap_err().is_panic());
            assert_eq!(held.asked(), number);
        }
    }
}

#[tokio::test]
async fn a_store_that_panics_keeps_no_attempt() {
    #[derive(Clone)]
    struct Breaks(Panics);
    impl KeyStore for Breaks {
        fn find(&self, _: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
            match self.0 {
                Panics::AtOnce => panic!("at once"),
                Panics::Later => Reply::later(async { panic!("later") }),
            }
        }
    }
    for panics in [Panics::AtOnce, Panics::Later] {
        let builder = ApiKeyLayer::builder(PROFILE, Breaks(panics));
        let (service, _) = guarded(builder, FailedAttempts::new(1, HOUR));
        for _ in 0..3 {
            let request = begin(&service, good(HOME)).await;
            assert!(request.await.unwrap_err().is_panic(), "and is not refused");
        }
    }
}
