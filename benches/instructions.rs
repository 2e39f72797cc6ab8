//! One path of the gate, run a given number of times, for `benches/instructions-check` to count the
//! instructions of.
//!
//! `instructions PATH GATED TOTAL` makes TOTAL requests, GATED of them through the gate and the rest
//! past it, straight to the service. Two runs with the same total and other shares therefore differ
//! by what the gate costs, and by nothing else: start-up, requests and the service cancel out.

#![allow(clippy::expect_used, clippy::panic, missing_docs)]

use std::convert::Infallible;
use std::env;
use std::future::{Future, Ready, ready};
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response};
use http_body_util::Empty;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use secrecy::ExposeSecret;
use tower::util::ServiceFn;
use tower::{Layer, Service, service_fn};
use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::key::{Account, Alphabet, IssuedKey, Issuer, KeyFormat, KeyHasher};
use tower_api_key::key::{KeyRecord, Quota};
use tower_api_key::limits::{MemoryLimiter, OnLimiterFailure};
use tower_api_key::request::{BasicKey, Connection, CredentialSource};
use tower_api_key::response::LimitHeaders;
use tower_api_key::rules::{Route, Routes};
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyGate, ApiKeyLayer, Profile, vendors};

/// More than one, so that a lookup that happens to be lucky does not stand for all.
const KEYS: usize = 64;
/// Requests of each path when nobody counts: enough to see that they are answered as they should be.
const TRIED: usize = 5_000;

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

/// The same without limit headers.
const BARE: Profile = Profile { limit_headers: LimitHeaders::NONE, ..PROFILE };

/// Writes the `Authorization` of a path from a key and the next one.
type Authorize = fn(&str, &str) -> Option<HeaderValue>;

/// One way through the gate.
struct Path {
    name: &'static str,
    /// Two windows always; without limit headers and grant if bare.
    bare: bool,
    /// Whether the store knows the keys.
    known: bool,
    authorize: Authorize,
    expected: u16,
}

const PATHS: [Path; 7] = [
    Path { name: "accept", bare: false, known: true, authorize: bearer, expected: 200 },
    Path { name: "accept-bare", bare: true, known: true, authorize: bearer, expected: 200 },
    Path { name: "accept-basic", bare: false, known: true, authorize: basic, expected: 200 },
    Path { name: "refuse-missing", bare: false, known: true, authorize: nothing, expected: 401 },
    Path { name: "refuse-malformed", bare: false, known: true, authorize: comma, expected: 400 },
    Path { name: "refuse-checksum", bare: false, known: true, authorize: halves, expected: 401 },
    Path { name: "refuse-unknown", bare: false, known: false, authorize: bearer, expected: 401 },
];

fn main() {
    // Cargo adds `--bench`.
    let arguments: Vec<String> = env::args().skip(1).filter(|it| it != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["paths"] => PATHS.iter().for_each(|path| println!("{}", path.name)),
        [name, gated, total] => {
            let path = PATHS.iter().find(|path| path.name == name).expect("no such path");
            let number = |text: &str| text.parse::<usize>().expect("not a number");
            path.run(number(gated), number(total));
        }
        // Also what `cargo bench -- WORD` asks of every bench.
        _ => {
            for path in &PATHS {
                let began = Instant::now();
                path.run(TRIED, TRIED);
                println!("{:<17} {TRIED} requests in {:?}", path.name, began.elapsed());
            }
            println!("benches/instructions-check counts the instructions of each, with valgrind.");
        }
    }
}

impl Path {
    /// Makes `total` requests, the first `gated` of them through the gate.
    fn run(&self, gated: usize, total: usize) {
        // What is random elsewhere is not here: keys come of a seed, and time stands still.
        let keys: Vec<IssuedKey> = issue(SmallRng::seed_from_u64(1));
        let store = MemoryStore::new();
        let account = Account::builder("acme").scopes(["users.read", "users.write"]).build();
        let account = Arc::new(account.expect("valid"));
        let strangers = issue(SmallRng::seed_from_u64(2));
        for (index, key) in if self.known { &keys } else { &strangers }.iter().enumerate() {
            let record = KeyRecord::builder(format!("key_{index}"), Arc::clone(&account)).build();
            store.insert(*key.digest(), record.expect("valid"));
        }
        let followers = keys.iter().cycle().skip(1);
        let requests: Vec<Request<()>> = keys
            .iter()
            .zip(followers)
            .map(|(key, next)| [key, next].map(|key| key.secret().expose_secret()))
            .map(|[key, next]| request((self.authorize)(key, next)))
            .collect();
        let (mut gate, mut service) = (gate(store, self.bare), service());
        // What the first request of an account, of a page or of a thread sets up is not counted.
        for request in &requests {
            let status = call(&mut gate, request.clone()).status();
            assert_eq!(status.as_u16(), self.expected, "{}", self.name);
        }
        let mut next = requests.iter().cycle().cloned();
        for request in next.by_ref().take(gated) {
            black_box(call(&mut gate, black_box(request)));
        }
        for request in next.take(total.saturating_sub(gated)) {
            black_box(call(&mut service, black_box(request)));
        }
    }
}

fn bearer(key: &str, _: &str) -> Option<HeaderValue> {
    HeaderValue::try_from(format!("Bearer {key}")).ok()
}

fn basic(key: &str, _: &str) -> Option<HeaderValue> {
    HeaderValue::try_from(format!("Basic {}", STANDARD.encode(format!("api:{key}")))).ok()
}

fn nothing(_: &str, _: &str) -> Option<HeaderValue> {
    None
}

fn comma(key: &str, _: &str) -> Option<HeaderValue> {
    HeaderValue::try_from(format!("Bearer {key},")).ok()
}

/// Two halves of two keys fit the alphabet and the length, and not each other.
fn halves(key: &str, next: &str) -> Option<HeaderValue> {
    HeaderValue::try_from(format!("Bearer {}{}", key.get(..20)?, next.get(20..)?)).ok()
}

fn issue(mut random: SmallRng) -> Vec<IssuedKey> {
    let issuer = Issuer::new(FORMAT, KeyHasher::sha256());
    let mut key = || {
        issuer.insecure_issue_from(None, |bytes| {
            random.fill_bytes(bytes);
            Ok(())
        })
    };
    (0..KEYS).map(|_| key().expect("the format is strong")).collect()
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

/// The service behind the gate: it drops the request and answers without headers or content.
fn service() -> Nothing {
    service_fn(|request| {
        black_box(&request);
        ready(Ok(Response::new(Empty::new())))
    })
}

fn gate(store: MemoryStore, bare: bool) -> ApiKeyGate<Nothing> {
    let routes = Routes::new()
        .on(&[Method::GET], "/v1/users", Route::new().all_of(&["users.read"]))
        .on(&[Method::POST], "/v1/users", Route::new().all_of(&["users.write"]))
        .on(&[Method::DELETE], "/v1/users/{id}", Route::new().all_of(&["users.write"]));
    let layer = ApiKeyLayer::builder(if bare { BARE } else { PROFILE }, store)
        .routes(routes)
        .limits(MemoryLimiter::new(), OnLimiterFailure::Deny)
        .clock(ManualClock::starting_at(Timestamp::from_unix_seconds(1_700_000_000)));
    let layer = if bare { layer.without_grant() } else { layer };
    layer.build().expect("valid").layer(service())
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
