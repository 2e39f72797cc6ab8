//! Stores and limiters that fail, or answer late; and who hears of it.

use std::io;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http_body_util::Full;
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_api_key::concurrency::{Acquire, Concurrency, ConcurrencyLimiter, Permit};
use tower_api_key::key::{KeyDigest, KeyRecord, KeyRecordBuilder, SharedRecord};
use tower_api_key::limits::{Charge, Limiter, LimiterError, LimiterFailures, LimiterFallback};
use tower_api_key::quota::{OnLimiterFailure, Quota, Share, Verdict};
use tower_api_key::request::Connection;
use tower_api_key::rules::{Route, Routes};
use tower_api_key::store::{KeyManager, KeyStore, MemoryStore, StoreError};
use tower_api_key::{ApiKeyLayer, Denial, Observer, Reply};

const HALF: OnLimiterFailure = OnLimiterFailure::Local(Share::of(NonZeroU32::new(2).unwrap()));

use crate::support::{PROFILE, digest, greeting, reason, request, send, store};

/// A store or limiter that fails, at once or later.
#[derive(Clone, Copy)]
enum Broken {
    Now,
    Later,
}

impl Broken {
    fn answer<T: Send + 'static>(self, error: impl FnOnce() -> T + Send + 'static) -> Reply<T> {
        match self {
            Self::Now => Reply::now(error()),
            Self::Later => Reply::later(async move {
                tokio::time::sleep(Duration::from_millis(5)).await;
                error()
            }),
        }
    }
}

impl KeyStore for Broken {
    fn find(&self, _: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        self.answer(|| Err(StoreError::new(io::Error::other("connection reset"))))
    }
}

impl Limiter for Broken {
    fn charge(&self, _: Charge<'_>) -> Reply<Result<Verdict, LimiterError>> {
        self.answer(|| Err(LimiterError::new(io::Error::other("connection reset"))))
    }
}

impl ConcurrencyLimiter for Broken {
    fn acquire(&self, _: Acquire<'_>) -> Reply<Result<Option<Permit>, LimiterError>> {
        self.answer(|| Err(LimiterError::new(io::Error::other("connection reset"))))
    }
}

/// A store that answers after a while.
struct Late(MemoryStore);

impl KeyStore for Late {
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        let (store, digest) = (self.0.clone(), *digest);
        Reply::later(async move {
            tokio::time::sleep(Duration::from_millis(5)).await;
            store.find(&digest).await
        })
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }

    fn lines(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Observer for Log {
    fn refused(&self, denial: &Denial, record: Option<&KeyRecord>) {
        let who = record.map_or("nobody", |record| record.id().as_str());
        self.add(format!("refused {} {who}", denial.name()));
    }

    fn key_exposed(&self, exposed: &KeyDigest) {
        self.add(format!("exposed {exposed:?}"));
    }

    fn key_used_elsewhere(&self, record: &KeyRecord, client: Option<IpAddr>) {
        self.add(format!("elsewhere {} {client:?}", record.id()));
    }

    fn store_failed(&self, error: &StoreError) {
        self.add(format!("store {}", std::error::Error::source(error).unwrap()));
    }

    fn concurrency_failed(&self, error: &LimiterError, fallback: LimiterFallback) {
        self.add(format!("permits {} {fallback:?}", std::error::Error::source(error).unwrap()));
    }

    fn limiter_failed(&self, error: &LimiterError, fallback: LimiterFallback) {
        self.add(format!("limiter {} {fallback:?}", std::error::Error::source(error).unwrap()));
    }
}

#[tokio::test]
async fn a_limiter_is_not_asked_for_a_request_that_no_quota_counts() {
    let layer = ApiKeyLayer::builder(PROFILE, store(|key| key));
    let layer = layer.limits(Broken::Now, OnLimiterFailure::Deny).build().unwrap();
    let answer = send(&greeting(&layer), request(Method::GET, "/")).await;
    assert_eq!(reason(&answer), "admitted");
    assert_eq!(layer.limiter_failures(), LimiterFailures::default());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_answer_is_503() {
    for broken in [Broken::Now, Broken::Later] {
        let log = Log::default();
        let layer = ApiKeyLayer::builder(PROFILE, broken).observer(log.clone()).build().unwrap();
        let response = send(&greeting(&layer), request(Method::GET, "/")).await;
        assert_eq!((reason(&response), response.status().as_u16()), ("store_unavailable", 503));
        assert_eq!(response.headers()["retry-after"], "5");
        assert!(!response.headers().contains_key("www-authenticate"), "not a 401 in disguise");
        assert_eq!(log.lines(), ["store connection reset", "refused store_unavailable nobody"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_store_decides_as_a_prompt_one() {
    let late = |change: fn(_) -> _| ApiKeyLayer::builder(PROFILE, Late(store(change)));
    let good = greeting(&late(|key| key).build().unwrap());
    assert_eq!(reason(&send(&good, request(Method::GET, "/")).await), "admitted");
    let revoked = greeting(&late(|key| key.revoked(true)).build().unwrap());
    assert_eq!(reason(&send(&revoked, request(Method::GET, "/")).await), "key_revoked");
}

#[tokio::test(start_paused = true)]
async fn a_failing_limiter_does_what_was_chosen() {
    let quota = Quota::new("minute", 5, Duration::from_secs(60));
    for broken in [Broken::Now, Broken::Later] {
        for (choice, expected, fallback) in [
            (OnLimiterFailure::Deny, "limiter_unavailable", LimiterFallback::Denied),
            (OnLimiterFailure::Allow, "admitted", LimiterFallback::Allowed),
        ] {
            let log = Log::default();
            let layer = ApiKeyLayer::builder(PROFILE, store(|key| key.quotas([quota.clone()])))
                .limits(broken, choice)
                .observer(log.clone())
                .build()
                .unwrap();
            let response = send(&greeting(&layer), request(Method::GET, "/")).await;
            assert_eq!(reason(&response), expected);
            let heard = format!("limiter connection reset {fallback:?}");
            assert_eq!(log.lines()[0], heard);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn failing_places_do_what_was_chosen_and_only_where_a_place_is_needed() {
    let routes = Routes::new()
        .on(&[Method::POST], "/", Route::new().concurrency(Concurrency::new(1)))
        .on(&[Method::GET], "/", Route::new());
    for broken in [Broken::Now, Broken::Later] {
        for (choice, expected, fallback) in [
            (OnLimiterFailure::Deny, ("limiter_unavailable", 503), LimiterFallback::Denied),
            (OnLimiterFailure::Allow, ("admitted", 200), LimiterFallback::Allowed),
            (HALF, ("admitted", 200), LimiterFallback::Local),
        ] {
            let log = Log::default();
            let layer = ApiKeyLayer::builder(PROFILE, store(|key| key))
                .routes(routes.clone())
                .concurrency(broken, choice)
                .observer(log.clone())
                .build()
                .unwrap();
            let service = greeting(&layer);
            let response = send(&service, request(Method::POST, "/")).await;
            assert_eq!((reason(&response), response.status().as_u16()), expected);
            assert_eq!(log.lines()[0], format!("permits connection reset {fallback:?}"));
            assert_eq!(reason(&send(&service, request(Method::GET, "/")).await), "admitted");
            assert!(log.lines().is_empty());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn places_that_fail_are_stood_in_for_by_this_nodes_share() {
    for broken in [Broken::Now, Broken::Later] {
        for (rule, share) in
            [(4, 2), (2, 1), (1, 1)].map(|(all, share)| (Concurrency::new(all), share))
        {
            let routes = Routes::new().on(&[], "/", Route::new().concurrency(rule));
            let layer = ApiKeyLayer::builder(PROFILE, store(|key| key)).routes(routes);
            let service = greeting(&layer.concurrency(broken, HALF).build().unwrap());
            let mut held = Vec::new();
            for _ in 0..share {
                let response = send(&service, request(Method::GET, "/")).await;
                assert_eq!(reason(&response), "admitted");
                held.push(response);
            }
            let response = send(&service, request(Method::GET, "/")).await;
            assert_eq!(reason(&response), "concurrency_exceeded", "{rule:?}");
            drop(held);
            let response = send(&service, request(Method::GET, "/")).await;
            assert_eq!(reason(&response), "admitted", "{rule:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn places_that_fail_queue_in_this_node_for_its_share() {
    let rule = Concurrency::new(2).with_longest_wait(Duration::from_secs(1));
    let routes = Routes::new().on(&[], "/", Route::new().concurrency(rule));
    let layer = ApiKeyLayer::builder(PROFILE, store(|key| key)).routes(routes);
    let service = greeting(&layer.concurrency(Broken::Later, HALF).build().unwrap());
    let held = send(&service, request(Method::GET, "/")).await;
    let queued = tokio::spawn({
        let service = service.clone();
        async move { reason(&send(&service, request(Method::GET, "/")).await) }
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!queued.is_finished());
    drop(held);
    assert_eq!(queued.await.unwrap(), "admitted");
}

#[tokio::test]
async fn a_quota_that_nobody_counts_refuses_unless_limits_are_off() {
    let quota = Quota::new("minute", 5, Duration::from_secs(60));
    let unset = ApiKeyLayer::builder(PROFILE, store(|key| key.quotas([quota.clone()])));
    let off = ApiKeyLayer::builder(PROFILE, store(|key| key.quotas([quota.clone()])));
    let unset = greeting(&unset.build().unwrap());
    let off = greeting(&off.without_limits().build().unwrap());
    assert_eq!(reason(&send(&unset, request(Method::GET, "/")).await), "limiter_unavailable");
    assert_eq!(reason(&send(&off, request(Method::GET, "/")).await), "admitted");
}

#[tokio::test]
async fn the_operator_hears_of_exposed_keys_and_of_every_refusal() {
    let log = Log::default();
    let layer = ApiKeyLayer::builder(PROFILE, store(|key| key.networks(["10.0.0.0/8"])));
    let service = greeting(&layer.observer(log.clone()).build().unwrap());
    let mut plain = request(Method::GET, "/");
    plain.extensions_mut().insert(Connection::plain("192.0.2.1:1".parse().unwrap()));
    send(&service, plain).await;
    let exposed = format!("exposed {:?}", digest(crate::support::KEY));
    assert_eq!(log.lines(), [&exposed[..], "refused insecure_transport nobody"]);
    send(&service, request(Method::GET, "/")).await;
    let elsewhere = "elsewhere key_1 Some(192.0.2.1)";
    assert_eq!(log.lines(), [elsewhere, "refused network_not_allowed key_1"]);
    let mut unmarked = request(Method::GET, "/");
    unmarked.extensions_mut().insert(Connection::unknown());
    let layer = ApiKeyLayer::builder(PROFILE, store(|key| key.networks(["10.0.0.0/8"])));
    let layer = layer.assume_https().observer(log.clone()).build().unwrap();
    send(&greeting(&layer), unmarked).await;
    let elsewhere = "elsewhere key_1 None";
    assert_eq!(log.lines(), [elsewhere, "refused network_not_allowed key_1"]);
    // A key that does not serve is nobody's, wherever it is used.
    let gone = |key: KeyRecordBuilder| key.networks(["10.0.0.0/8"]).revoked(true);
    let layer = ApiKeyLayer::builder(PROFILE, store(gone)).observer(log.clone()).build().unwrap();
    send(&greeting(&layer), request(Method::GET, "/")).await;
    assert_eq!(log.lines(), ["refused key_revoked nobody"]);
}

#[tokio::test(start_paused = true)]
async fn the_operator_hears_of_spent_budgets() {
    let log = Log::default();
    let second = Duration::from_secs(1);
    let routes = Routes::new().on(&[], "/", Route::new().budget(second));
    let layer = ApiKeyLayer::builder(PROFILE, store(|key| key)).routes(routes);
    let layer = layer.observer(log.clone()).build().unwrap();
    let service = layer.layer(service_fn(|_: http::Request<()>| async move {
        tokio::time::sleep(2 * second).await;
        Ok::<_, std::convert::Infallible>(http::Response::new(Full::<Bytes>::default()))
    }));
    service.oneshot(request(Method::GET, "/")).await.unwrap();
    assert_eq!(log.lines(), ["refused timed_out key_1"]);
}

/// A gate may be called before there is a runtime; only what waits needs one.
#[test]
fn a_budget_needs_no_runtime_until_it_waits() {
    let routes = Routes::new().on(&[], "/", Route::new().budget(Duration::from_secs(1)));
    let layer = ApiKeyLayer::builder(PROFILE, store(|key| key)).routes(routes).build().unwrap();
    let called = greeting(&layer).call(request(Method::GET, "/"));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(called).unwrap().status(), 200);
}

/// Revokes keys that somebody else may have, by a worker with the store at hand.
struct Revoking(tokio::sync::mpsc::UnboundedSender<KeyDigest>);

impl Observer for Revoking {
    fn key_exposed(&self, exposed: &KeyDigest) {
        self.0.send(*exposed).unwrap();
    }

    fn key_used_elsewhere(&self, record: &KeyRecord, _: Option<IpAddr>) {
        assert_eq!(*record.id(), *"key_1");
        self.0.send(digest(crate::support::KEY)).unwrap();
    }
}

#[tokio::test]
async fn a_key_that_was_exposed_or_used_elsewhere_can_be_revoked_from_the_hook() {
    let office = |key: KeyRecordBuilder| key.networks(["192.0.2.0/24"]);
    let from = |connection: Connection| {
        let mut request = request(Method::GET, "/");
        request.extensions_mut().insert(connection);
        request
    };
    let peer = |text: &str| text.parse().unwrap();
    for (connection, refused) in [
        (Connection::plain(peer("192.0.2.1:1")), "insecure_transport"),
        (Connection::tls(peer("198.51.100.1:1")), "network_not_allowed"),
    ] {
        let keys = store(office);
        let (sender, mut alarms) = tokio::sync::mpsc::unbounded_channel();
        let builder = ApiKeyLayer::builder(PROFILE, keys.clone()).observer(Revoking(sender));
        let service = greeting(&builder.build().unwrap());
        let good = || from(Connection::tls(peer("192.0.2.1:1")));
        assert_eq!(reason(&send(&service, good()).await), "admitted");
        assert_eq!(reason(&send(&service, from(connection)).await), refused);
        let record = keys.find(&alarms.recv().await.unwrap()).await.unwrap().unwrap();
        keys.revoke(record.id().as_str(), "the gate").await.unwrap();
        assert_eq!(reason(&send(&service, good()).await), "key_revoked");
    }
}
