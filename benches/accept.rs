//! What the gate costs a request: the real layer around a service that does nothing, its future
//! polled once. Making requests and dropping responses is not counted; the first case has no gate,
//! and is to be subtracted from the others.
//!
//! `hot` uses 64 keys over and over, `cold` a million keys of a million accounts in random order.

#![allow(clippy::expect_used, clippy::panic, missing_docs)]

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, criterion_group, criterion_main};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Empty;
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use secrecy::ExposeSecret;
use tower::util::ServiceFn;
use tower::{Layer, Service, service_fn};
use tower_api_key::clock::{Clock, SystemClock, Timestamp};
use tower_api_key::key::{Account, Alphabet, IssuedKey, Issuer, KeyFormat, KeyHasher};
use tower_api_key::key::{KeyRecord, Quota};
use tower_api_key::limits::{MemoryLimiter, OnLimiterFailure};
use tower_api_key::request::{BasicKey, Connection, CredentialSource};
use tower_api_key::response::LimitHeaders;
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyGate, ApiKeyLayer, Profile, vendors};

const KEYS: usize = 1_000_000;
const HOT_KEYS: usize = 64;
/// A batch of requests that stays in the cache, as one that was just read from a socket would.
const BATCH: BatchSize = BatchSize::NumIterations(64);

/// Keys of 40 characters, one block of SHA-256.
const FORMAT: KeyFormat =
    KeyFormat::new().literal("acme_").characters(Alphabet::Base62, 29).checksum();

const PROFILE: Profile = Profile {
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

const BARE: Profile = Profile { quotas: &[], limit_headers: LimitHeaders::NONE, ..PROFILE };

/// Reads the system's clock and lets time run faster, so that quotas of a usual size last.
struct Fast {
    start: Timestamp,
    speed: u64,
}

impl Clock for Fast {
    fn now(&self) -> Timestamp {
        let start = self.start.unix_nanoseconds();
        let passed = SystemClock.now().unix_nanoseconds() - start;
        Timestamp::from_unix_nanoseconds(start + passed * self.speed)
    }
}

fn issue(random: &mut SmallRng) -> IssuedKey {
    let issuer = Issuer::new(FORMAT, KeyHasher::sha256());
    let key = issuer.insecure_issue_from(None, |bytes| {
        random.fill_bytes(bytes);
        Ok(())
    });
    key.expect("the format is strong")
}

/// A million keys in random order, and the store that knows them.
fn keys(random: &mut SmallRng) -> (MemoryStore, Vec<String>) {
    let store = MemoryStore::new();
    let mut keys = Vec::with_capacity(KEYS);
    for index in 0..KEYS {
        let issued = issue(random);
        let account = Account::builder(format!("account_{index}")).build();
        let account = Arc::new(account.expect("valid"));
        let record = KeyRecord::builder(format!("key_{index}"), account).build();
        store.insert(*issued.digest(), record.expect("valid"));
        keys.push(issued.secret().expose_secret().to_owned());
    }
    keys.shuffle(random);
    (store, keys)
}

/// Writes a key as `Authorization`.
type Authorize = fn(&str) -> Option<HeaderValue>;

fn bearer(key: &str) -> Option<HeaderValue> {
    HeaderValue::try_from(format!("Bearer {key}")).ok()
}

fn basic(key: &str) -> Option<HeaderValue> {
    HeaderValue::try_from(format!("Basic {}", STANDARD.encode(format!("api:{key}")))).ok()
}

fn request(authorization: Option<HeaderValue>) -> Request<()> {
    let peer = "192.0.2.1:4711".parse().expect("an address");
    let mut request = Request::get("/v1/users")
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

type Served = Ready<Result<Response<Empty<Bytes>>, Infallible>>;

type Nothing = ServiceFn<fn(Request<()>) -> Served>;

fn nothing() -> Nothing {
    service_fn(|request| {
        black_box(&request);
        ready(Ok(Response::new(Empty::new())))
    })
}

/// Calls a service as a server would, and polls its future once: nothing here may wait.
fn call<S, B>(service: &mut S, request: Request<()>) -> Response<B>
where
    S: Service<Request<()>, Response = Response<B>, Error = Infallible>,
{
    let mut context = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut context).is_ready());
    match pin!(service.call(request)).poll(&mut context) {
        Poll::Ready(Ok(response)) => response,
        Poll::Ready(Err(never)) => match never {},
        Poll::Pending => panic!("a gate over memory had to wait"),
    }
}

fn measure<S, B>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    service: &mut S,
    expected: StatusCode,
    mut next: impl FnMut() -> Option<HeaderValue>,
) where
    S: Service<Request<()>, Response = Response<B>, Error = Infallible>,
{
    group.bench_function(name, |bencher| {
        let routine = |request| {
            let response = call(service, request);
            assert_eq!(response.status(), expected);
            response
        };
        bencher.iter_batched(|| request(next()), routine, BATCH);
    });
}

/// Builds a gate that counts and speaks of two quotas, on a clock of this speed.
fn limited(store: &MemoryStore, speed: u64) -> ApiKeyGate<Nothing> {
    // Twice the accounts: shards fill unevenly.
    let limiter = MemoryLimiter::with_capacity(2 * KEYS);
    let start = SystemClock.now();
    let layer = ApiKeyLayer::builder(PROFILE, store.clone())
        .limits(limiter, OnLimiterFailure::Deny)
        .clock(Fast { start, speed });
    layer.build().expect("valid").layer(nothing())
}

fn benchmarks(criterion: &mut Criterion) {
    let mut random = SmallRng::seed_from_u64(1);
    let (store, keys) = keys(&mut random);
    let hot = keys.get(..HOT_KEYS).unwrap_or_default();
    let bare = ApiKeyLayer::builder(BARE, store.clone()).build();
    let mut bare = bare.expect("valid").layer(nothing());

    let mut group = criterion.benchmark_group("accept");
    let mut next = hot.iter().cycle();
    let ok = StatusCode::OK;
    measure(&mut group, "no gate", &mut nothing(), ok, || next.next().and_then(|key| bearer(key)));
    for (temperature, keys, speed) in [("hot", hot, 20_000), ("cold", &keys[..], 1)] {
        let mut limited = limited(&store, speed);
        // A steady state: every account has its counters before anything is measured.
        for key in keys {
            call(&mut limited, request(bearer(key)));
        }
        let schemes = [("bearer", bearer as Authorize), ("basic", basic)];
        for (scheme, header) in schemes {
            for (service, gate) in [("bare", &mut bare), ("two windows", &mut limited)] {
                let name = format!("{temperature} {scheme}, {service}");
                let mut next = keys.iter().cycle();
                measure(&mut group, &name, gate, ok, || next.next().and_then(|key| header(key)));
            }
        }
    }
    group.finish();

    let mut group = criterion.benchmark_group("refuse");
    let denied = StatusCode::UNAUTHORIZED;
    measure(&mut group, "no credential", &mut bare, denied, || None);
    let malformed = StatusCode::BAD_REQUEST;
    let mut next = hot.iter().cycle();
    measure(&mut group, "malformed", &mut bare, malformed, || {
        next.next().and_then(|key| bearer(&format!("{key},")))
    });
    let mut next = hot.iter().cycle();
    measure(&mut group, "failed checksum", &mut bare, denied, || {
        // Two halves of two keys fit the alphabet and the length, and not each other.
        let (one, other) = (next.next()?.get(..20)?, next.next()?.get(20..)?);
        bearer(&format!("{one}{other}"))
    });
    measure(&mut group, "unknown key", &mut bare, denied, || {
        bearer(issue(&mut random).secret().expose_secret())
    });
    group.finish();
}

criterion_group! {
    name = accept;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(50);
    targets = benchmarks
}
criterion_main!(accept);
