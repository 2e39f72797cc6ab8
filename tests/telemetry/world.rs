//! Gates whose requests end in every way, with an observer.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::concurrency::{Acquire, Concurrency, ConcurrencyLimiter, Permit};
use tower_api_key::key::{KeyDigest, SharedRecord};
use tower_api_key::limits::{Charge, Limiter, LimiterError, MemoryLimiter};
use tower_api_key::profile::RequestIdHeader;
use tower_api_key::quota::{OnLimiterFailure, Quota, Verdict};
use tower_api_key::request::Connection;
use tower_api_key::rules::{Route, Routes};
use tower_api_key::store::{KeyStore, MemoryStore, StoreError};
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, Denial, Observer, Profile, Reply, refusal};

use crate::support::{PROFILE, anonymous, request, store};

const WITH_IDS: Profile =
    Profile { request_id: Some(RequestIdHeader::new("x-request-id")), ..PROFILE };

/// A store or a limiter that is down, with a cause.
#[derive(Clone, Copy)]
pub(super) struct Down;

fn cause() -> io::Error {
    io::Error::other("connection reset")
}

impl KeyStore for Down {
    fn find(&self, _: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        Reply::later(async { Err(StoreError::new(cause())) })
    }
}

impl Limiter for Down {
    fn refunds(&self) -> bool {
        true
    }

    fn charge(&self, _: Charge<'_>) -> Reply<Result<Verdict, LimiterError>> {
        Reply::now(Err(LimiterError::new(cause())))
    }
}

impl ConcurrencyLimiter for Down {
    fn acquire(&self, _: Acquire<'_>) -> Reply<Result<Option<Permit>, LimiterError>> {
        Reply::later(async { Err(LimiterError::new(cause())) })
    }
}

/// A store that answers later.
pub(super) struct Late(pub(super) MemoryStore);

impl KeyStore for Late {
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        let (store, digest) = (self.0.clone(), *digest);
        Reply::later(async move {
            tokio::time::sleep(Duration::from_millis(5)).await;
            store.find(&digest).await
        })
    }
}

/// A builder whose key has three requests a minute, one of them in the shadow of two.
pub(super) fn builder(keys: impl KeyStore) -> ApiKeyLayerBuilder {
    let routes = Routes::new()
        .get("/v1/users/{id}", Route::new())
        .on(&[], "/free", Route::new().cost(0))
        .on(&[], "/refuse", Route::new().metered())
        .on(&[], "/refund", Route::new().refund_on(&[200..=200]))
        .on(&[], "/permit", Route::new().cost(0).concurrency(Concurrency::new(1)))
        .on(&[], "/scope", Route::new().all_of(&["users.write"]));
    ApiKeyLayer::builder(WITH_IDS, keys).routes(routes).optional()
}

/// A builder with a limiter in memory.
pub(super) fn counted() -> ApiKeyLayerBuilder {
    const QUOTAS: &[Quota] = &[
        Quota::new("minute", 3, Duration::from_secs(60)),
        Quota::new("dark", 2, Duration::from_secs(60)).in_shadow(),
    ];
    builder(store(|key| key.quotas(QUOTAS.to_vec())))
        .limits(MemoryLimiter::new(), OnLimiterFailure::Deny)
}

/// Sends requests through the gate of a layer, one after another. Returns the statuses.
pub(super) async fn send(layer: &ApiKeyLayer, requests: Vec<Request<()>>) -> Vec<u16> {
    let mut statuses = Vec::new();
    for request in requests {
        let service = layer.layer(service_fn(|request: Request<()>| async move {
            let asked =
                (request.uri().path() == "/refuse").then(|| refusal(Denial::AccountMismatch));
            Ok::<_, &str>(asked.unwrap_or_else(Response::<Full<Bytes>>::default))
        }));
        statuses.push(service.oneshot(request).await.unwrap().status().as_u16());
    }
    statuses
}

/// Requests of one key, in each way that a gate with a limiter in memory can decide.
pub(super) fn requests() -> Vec<(Request<()>, u16)> {
    let get = |path| request(Method::GET, path);
    let mut plain = get("/free");
    plain.extensions_mut().insert(Connection::plain("192.0.2.9:4711".parse().unwrap()));
    vec![
        (get("/v1/users/1"), 200),
        (get("/v1/users/2"), 200),
        (get("/refuse"), 403),
        (get("/v1/users/4"), 429),
        (get("/scope"), 403),
        (get("/nowhere"), 403),
        (anonymous(Method::GET, "/free"), 200),
        (anonymous(Method::GET, "/scope"), 401),
        (plain, 400),
    ]
}

/// Sends requests in every way through gates with an observer.
pub(super) async fn everything(observer: impl Observer + Clone) {
    let layer = counted().observer(observer.clone()).build().unwrap();
    let (sent, expected): (Vec<_>, Vec<_>) = requests().into_iter().unzip();
    assert_eq!(send(&layer, sent).await, expected);

    let get = |path| vec![request(Method::GET, path)];
    let down = builder(Down).without_limits().observer(observer.clone()).build().unwrap();
    assert_eq!(send(&down, get("/free")).await, [503]);

    let quota = Quota::new("minute", 3, Duration::from_secs(60));
    for (choice, status) in [(OnLimiterFailure::Allow, 200), (OnLimiterFailure::Deny, 503)] {
        let keys = Late(store(|key| key.quotas([quota.clone()])));
        let layer = builder(keys).limits(Down, choice).observer(observer.clone()).build().unwrap();
        assert_eq!(send(&layer, get("/v1/users/1")).await, [status]);
        let layer = builder(store(|key| key)).without_limits().concurrency(Down, choice);
        let layer = layer.observer(observer.clone()).build().unwrap();
        assert_eq!(send(&layer, get("/permit")).await, [status]);
    }

    let elsewhere = store(|key| key.networks(["198.51.100.0/24"]));
    let layer = builder(elsewhere).without_limits().observer(observer.clone()).build().unwrap();
    assert_eq!(send(&layer, get("/free")).await, [403]);

    let keys = store(|key| key.quotas([quota]));
    let layer = builder(keys).limits(MemoryLimiter::new(), OnLimiterFailure::Deny);
    let layer = layer.observer(observer).build().unwrap();
    assert_eq!(send(&layer, get("/refund")).await, [200]);
}
