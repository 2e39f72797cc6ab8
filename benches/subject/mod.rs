//! What is measured: keys, requests, and gates around a service that does nothing.

#![allow(dead_code)] // Each bench uses its own part of this.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Method, Request, Response};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use tower::util::ServiceFn;
use tower::{Layer, Service, service_fn};
use tower_api_key::clock::{Clock, SystemClock, Timestamp};
use tower_api_key::key::{Account, Alphabet, Issuer, KeyFormat, KeyHasher, KeyRecord};
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::profile::{BasicKey, CredentialSource, LimitHeaders};
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::request::Connection;
use tower_api_key::rules::{Route, Routes};
use tower_api_key::store::MemoryStore;
use tower_api_key::telemetry::MetricsObserver;
use tower_api_key::{ApiKeyGate, ApiKeyLayer, Profile, vendors};

/// Keys that are used over and over stay in the cache.
pub(crate) const HOT: usize = 64;
/// Keys of one account.
pub(crate) const KEYS_PER_ACCOUNT: usize = 10;
/// Requests that are made before they are timed; few enough to stay in the cache, as one that was
/// just read from a socket does.
const BATCH: usize = 64;

/// Keys of 40 characters, one block of SHA-256.
pub(crate) const FORMAT: KeyFormat =
    KeyFormat::new().literal("acme_").characters(Alphabet::Base62, 29).checksum();

pub(crate) const PROFILE: Profile = Profile {
    credentials: &[
        CredentialSource::bearer(),
        CredentialSource::basic(BasicKey::PasswordOf("api")),
    ],
    formats: &[FORMAT],
    quotas: &[
        Quota::new("minute", 9_999, Duration::from_secs(60)),
        Quota::new("hour", 9_999, Duration::from_secs(3_600)),
    ],
    limit_headers: LimitHeaders::RATE_LIMIT,
    ..vendors::REST_INTEGRATIONS
};

/// The same without limit headers.
pub(crate) const BARE: Profile = Profile { limit_headers: LimitHeaders::NONE, ..PROFILE };

/// Keys and the store that knows them.
pub(crate) struct Keys {
    pub(crate) store: MemoryStore,
    pub(crate) texts: Vec<String>,
}

impl Keys {
    /// Issues keys, ten to an account that may read and write users.
    pub(crate) fn issue(count: usize, seed: u64) -> Self {
        let mut random = SmallRng::seed_from_u64(seed);
        let store = MemoryStore::new();
        let mut texts = Vec::with_capacity(count);
        let mut account = None;
        for index in 0..count {
            if index % KEYS_PER_ACCOUNT == 0 {
                account = Some(self::account(index / KEYS_PER_ACCOUNT));
            }
            let Some(account) = &account else { continue };
            let text = key(&mut random);
            let record = KeyRecord::builder(format!("key_{index}"), Arc::clone(account)).build();
            let digest = KeyHasher::sha256().digest(text.as_bytes());
            store.add_now(digest, record.expect("valid"));
            texts.push(text);
        }
        Self { store, texts }
    }
}

pub(crate) fn account(index: usize) -> Arc<Account> {
    let account =
        Account::builder(format!("account_{index}")).scopes(["users.read", "users.write"]);
    Arc::new(account.build().expect("valid"))
}

/// Makes the text of a key that looks like an issued one.
pub(crate) fn key(random: &mut SmallRng) -> String {
    let issuer = Issuer::new(FORMAT, KeyHasher::sha256());
    let issued = issuer.insecure_issue_from(None, |bytes| {
        random.fill_bytes(bytes);
        Ok(())
    });
    issued.expect("the format is strong").expose().to_owned()
}

/// Writes a key as `Authorization`.
pub(crate) type Authorize = fn(&str) -> Option<HeaderValue>;

pub(crate) fn bearer(key: &str) -> Option<HeaderValue> {
    HeaderValue::try_from(format!("Bearer {key}")).ok()
}

pub(crate) fn basic(key: &str) -> Option<HeaderValue> {
    HeaderValue::try_from(format!("Basic {}", STANDARD.encode(format!("api:{key}")))).ok()
}

pub(crate) fn request(path: &str, authorization: Option<HeaderValue>) -> Request<()> {
    let peer = "192.0.2.1:4711".parse().expect("an address");
    let mut request = Request::get(path)
        .header("host", "api.example.com")
        .header("user-agent", "benchmark")
        .header("accept", "*/*")
        .extension(Connection::tls(peer))
        .body(())
        .expect("valid");
    if let Some(value) = authorization {
        request.headers_mut().insert("authorization", value);
    }
    request
}

pub(crate) type Served = Ready<Result<Response<Body>, Infallible>>;
pub(crate) type Nothing = ServiceFn<fn(Request<()>) -> Served>;

thread_local! {
    /// The requests that came through, so that freeing them is not timed.
    static SERVED: RefCell<Vec<Request<()>>> = RefCell::new(Vec::with_capacity(BATCH));
}

/// Frees the requests that came through.
pub(crate) fn free_served() {
    SERVED.with_borrow_mut(Vec::clear);
}

/// The service behind every gate: it puts the request away and answers without headers or content.
pub(crate) fn nothing() -> Nothing {
    service_fn(|request| {
        SERVED.with_borrow_mut(|served| served.push(request));
        ready(Ok(Response::new(Body::empty())))
    })
}

/// Calls a service as a server would, and polls its future once: nothing here may wait.
pub(crate) fn call<S, B>(service: &mut S, request: Request<()>) -> Response<B>
where
    S: Service<Request<()>, Response = Response<B>, Error = Infallible>,
{
    let mut context = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut context).is_ready());
    match pin!(service.call(request)).poll(&mut context) {
        Poll::Ready(Ok(response)) => response,
        Poll::Ready(Err(never)) => match never {},
        Poll::Pending => panic!("a service over memory had to wait"),
    }
}

/// Times a service: from the call to the response. Making and freeing requests and responses is left
/// out, as it is with and without a gate.
pub(crate) fn timed<S, B>(
    service: &mut S,
    expected: u16,
    operations: usize,
    mut next: impl FnMut() -> Request<()>,
) -> Duration
where
    S: Service<Request<()>, Response = Response<B>, Error = Infallible>,
{
    let mut took = Duration::ZERO;
    let (mut batch, mut responses) = (Vec::with_capacity(BATCH), Vec::with_capacity(BATCH));
    for start in (0..operations).step_by(BATCH) {
        batch.extend((start..operations).take(BATCH).map(|_| next()));
        let began = Instant::now();
        for request in batch.drain(..) {
            responses.push(call(service, request));
        }
        took += began.elapsed();
        for response in responses.drain(..) {
            assert_eq!(black_box(response).status().as_u16(), expected);
        }
        free_served();
    }
    took
}

/// Reads the system's clock and lets time run faster, so that quotas of a usual size last.
pub(crate) struct Fast {
    start: Timestamp,
    speed: u64,
}

impl Fast {
    pub(crate) fn new(speed: u64) -> Self {
        Self { start: SystemClock.now(), speed }
    }
}

impl Clock for Fast {
    fn now(&self) -> Timestamp {
        let start = self.start.unix_nanoseconds();
        let passed = SystemClock.now().unix_nanoseconds() - start;
        Timestamp::from_unix_nanoseconds(start + passed * self.speed)
    }
}

pub(crate) fn routes() -> Routes {
    Routes::new()
        .on(&[Method::GET], "/v1/users", Route::new().all_of(&["users.read"]))
        .on(&[Method::POST], "/v1/users", Route::new().all_of(&["users.write"]))
        .on(&[Method::PUT, Method::DELETE], "/v1/users/{id}", Route::new().all_of(&["users.write"]))
}

pub(crate) type Gate = ApiKeyGate<Nothing>;

/// What a gate leaves on a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extras {
    Grant,
    None,
    /// The grant, and metrics for Prometheus.
    Metrics,
}

/// Builds a gate that does all there is to do: routes with scopes, two windows, headers if the
/// profile has them.
pub(crate) fn gate(
    profile: &Profile,
    store: &MemoryStore,
    routes: Routes,
    speed: u64,
    extras: Extras,
) -> Gate {
    gate_on(Fast::new(speed), profile, store, routes, extras)
}

/// Builds the same on another clock.
pub(crate) fn gate_on(
    clock: impl Clock,
    profile: &Profile,
    store: &MemoryStore,
    routes: Routes,
    extras: Extras,
) -> Gate {
    let layer = ApiKeyLayer::builder(*profile, store.clone())
        .routes(routes)
        .limits(MemoryLimiter::with_capacity(2_000_000), OnLimiterFailure::Deny)
        .clock(clock);
    let layer = match extras {
        Extras::Grant => layer,
        Extras::None => layer.without_grant(),
        Extras::Metrics => layer.observer(MetricsObserver::new()),
    };
    layer.build().expect("valid").layer(nothing())
}
