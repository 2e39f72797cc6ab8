//! What is counted of requests, after a new layer has taken it over.

use std::num::NonZeroU32;
use std::sync::Arc;

use tokio::task::yield_now;
use tower::ServiceExt;
use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::concurrency::{Acquire, Concurrency, ConcurrencyLimiter, Permit};
use tower_api_key::key::{Account, KeyRecord};
use tower_api_key::limits::{Charge, Limiter, LimiterError, MemoryLimiter, Plans};
use tower_api_key::quota::{Algorithm, OnLimiterFailure, Quota, Share, Verdict};
use tower_api_key::rules::{Route, Routes};
#[cfg(feature = "cache")]
use tower_api_key::store::Cached;
use tower_api_key::{ApiKeyLayer, Profile, Reply};

#[cfg(feature = "cache")]
use super::{HeldStore, NEW, OLD, door};
use super::{MINUTE, get, reason_for, reload, serving};
use crate::support::{PROFILE, reason, send, store};

const START: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
const DENY: OnLimiterFailure = OnLimiterFailure::Deny;
const HALF: OnLimiterFailure = OnLimiterFailure::Local(Share::of(NonZeroU32::new(2).unwrap()));

#[tokio::test]
async fn permits_of_requests_in_flight_count_on_and_come_back() {
    let store = store(|key| key);
    let build = |limit: Option<u32>, extra: bool| {
        let route = Route::new();
        let route = match limit {
            Some(limit) => route.concurrency(Concurrency::new(limit)),
            None => route,
        };
        let routes = Routes::new().get("/", route);
        let routes = if extra { routes.get("/another", Route::new()) } else { routes };
        ApiKeyLayer::builder(PROFILE, store.clone()).routes(routes)
    };
    let (service, handle) = serving(build(Some(2), false));
    let mut first = vec![send(&service, get()).await, send(&service, get()).await];
    assert_eq!(reason_for(&service, get()).await, "concurrency_exceeded");
    reload(&handle, build(Some(2), true));
    assert_eq!(reason_for(&service, get()).await, "concurrency_exceeded");
    reload(&handle, build(Some(3), true));
    first.push(send(&service, get()).await);
    assert_eq!(reason(&first[2]), "admitted", "the limit is higher");
    reload(&handle, build(Some(1), true));
    for _ in 0..2 {
        assert_eq!(reason_for(&service, get()).await, "concurrency_exceeded");
        drop(first.remove(0));
    }
    assert_eq!(reason_for(&service, get()).await, "concurrency_exceeded", "one is left");
    reload(&handle, build(None, false));
    assert_eq!(reason_for(&service, get()).await, "admitted");
    reload(&handle, build(Some(1), false));
    assert_eq!(reason_for(&service, get()).await, "concurrency_exceeded", "it was not forgotten");
    drop(first);
    let last = send(&service, get()).await;
    assert_eq!(reason(&last), "admitted");
    let other = send(&service, get()).await;
    assert_eq!(reason(&other), "concurrency_exceeded");
}

/// A request that waits for a permit waits on under its own rule, beside those of the new layer.
#[tokio::test(start_paused = true)]
async fn a_request_that_waits_for_a_permit_keeps_its_rule() {
    let store = store(|key| key);
    let build = |limit| {
        let rule = Concurrency::new(limit).with_longest_wait(MINUTE);
        ApiKeyLayer::builder(PROFILE, store.clone())
            .routes(Routes::new().get("/", Route::new().concurrency(rule)))
    };
    let (service, handle) = serving(build(2));
    let mut held = vec![send(&service, get()).await, send(&service, get()).await];
    let old = tokio::spawn(service.clone().oneshot(get()));
    yield_now().await;
    reload(&handle, build(1));
    let new = tokio::spawn(service.clone().oneshot(get()));
    yield_now().await;
    held.pop();
    let old = old.await.unwrap().unwrap();
    assert_eq!(reason(&old), "admitted", "its limit is two");
    held.pop();
    yield_now().await;
    assert!(!new.is_finished(), "its limit is one");
    drop(old);
    assert_eq!(reason(&new.await.unwrap().unwrap()), "admitted");
}

/// A limiter of requests and permits that cannot answer.
#[derive(Clone, Copy)]
struct Down;

impl Limiter for Down {
    fn charge(&self, _: Charge<'_>) -> Reply<Result<Verdict, LimiterError>> {
        Reply::now(Err(LimiterError::new("down")))
    }
}

impl ConcurrencyLimiter for Down {
    fn acquire(&self, _: Acquire<'_>) -> Reply<Result<Option<Permit>, LimiterError>> {
        Reply::now(Err(LimiterError::new("down")))
    }
}

#[tokio::test]
async fn what_is_counted_here_while_a_limiter_is_down_survives() {
    let store = store(|key| key);
    let build = |limit| {
        let quotas = [Quota::new("minute", limit, MINUTE)];
        let route = Route::new().quotas(&quotas).concurrency(Concurrency::new(4));
        ApiKeyLayer::builder(PROFILE, store.clone())
            .routes(Routes::new().get("/", route))
            .limits(Down, HALF)
            .concurrency(Down, HALF)
    };
    let (service, handle) = serving(build(8));
    let held = [send(&service, get()).await, send(&service, get()).await];
    assert_eq!(reason_for(&service, get()).await, "concurrency_exceeded");
    reload(&handle, build(6));
    assert_eq!(reason_for(&service, get()).await, "concurrency_exceeded");
    drop(held);
    assert_eq!(reason_for(&service, get()).await, "admitted", "the third of three");
    assert_eq!(reason_for(&service, get()).await, "rate_limited");
    // No request that got no permit was charged.
    assert_eq!(handle.current().limiter_failures().local, 4);
}

/// The count of a quota belongs to the limiter. It survives each change that leaves name, window and algorithm.
#[tokio::test]
async fn a_quota_whose_limit_changes_keeps_its_count() {
    for algorithm in [Algorithm::SlidingWindow, Algorithm::FixedWindow, Algorithm::LeakyBucket] {
        let (store, limiter) = (store(|key| key), Arc::new(MemoryLimiter::new()));
        let clock = ManualClock::starting_at(START);
        let build = |quota: &Quota| {
            let quotas = [quota.clone().with_algorithm(algorithm)];
            let profile = Profile { quotas: &quotas, ..PROFILE };
            ApiKeyLayer::builder(profile, store.clone())
                .clock(clock.clone())
                .limits(Arc::clone(&limiter), DENY)
        };
        let minute = |limit| Quota::new("minute", limit, MINUTE);
        let (service, handle) = serving(build(&minute(10)));
        for _ in 0..10 {
            assert_eq!(reason_for(&service, get()).await, "admitted");
        }
        assert!(minute(10).shares_counter(&minute(5)));
        reload(&handle, build(&minute(5)));
        assert_eq!(reason_for(&service, get()).await, "rate_limited", "{algorithm:?}");
        reload(&handle, build(&minute(10)));
        assert_eq!(reason_for(&service, get()).await, "rate_limited", "{algorithm:?}");
        reload(&handle, build(&minute(20)));
        // A leaky bucket stays as full as it was; windows have room for ten more.
        let expected =
            if algorithm == Algorithm::LeakyBucket { "rate_limited" } else { "admitted" };
        assert_eq!(reason_for(&service, get()).await, expected, "{algorithm:?}");
        let other = Quota::new("another", 10, MINUTE);
        assert!(!minute(10).shares_counter(&other));
        reload(&handle, build(&other));
        assert_eq!(reason_for(&service, get()).await, "admitted", "a new quota");
    }
}

#[cfg(feature = "cache")]
#[tokio::test]
async fn a_cache_that_is_handed_on_asks_the_store_no_more() {
    let held = HeldStore::new();
    let cached = Arc::new(Cached::builder(held.clone()).build());
    let (service, handle) = serving(door(&OLD, Arc::clone(&cached)));
    held.answers.add_permits(1);
    assert_eq!(reason_for(&service, get()).await, "admitted");
    reload(&handle, door(&NEW, cached));
    assert_eq!(reason_for(&service, get()).await, "admitted");
    assert_eq!(held.answers.available_permits(), 0);
}

#[tokio::test]
async fn plans_are_those_of_their_handle() {
    let on_plan = Account::builder("acme").plan("free").build().unwrap();
    let store = store(|_| KeyRecord::builder("key_1", on_plan));
    let (limiter, plans) = (Arc::new(MemoryLimiter::new()), Plans::new());
    let build = || {
        ApiKeyLayer::builder(PROFILE, store.clone())
            .limits(Arc::clone(&limiter), DENY)
            .plans(plans.clone())
    };
    plans.set("free", [Quota::new("minute", 2, MINUTE)]).unwrap();
    let (service, handle) = serving(build());
    assert_eq!(reason_for(&service, get()).await, "admitted");
    reload(&handle, build());
    assert_eq!(reason_for(&service, get()).await, "admitted");
    assert_eq!(reason_for(&service, get()).await, "rate_limited");
    plans.set("free", [Quota::new("minute", 3, MINUTE)]).unwrap();
    assert_eq!(reason_for(&service, get()).await, "admitted", "the handle reaches the new layer");
}
