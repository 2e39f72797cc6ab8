//! The proof that a straight function checks what a gate checks: both refuse the same requests for the same reasons.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Method, Request};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use tower_api_key::Denial;
use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::key::{Account, KeyHasher, KeyRecord, KeyRecordBuilder};
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::quota::Quota;
use tower_api_key::request::Connection;
use tower_api_key::store::MemoryStore;

use super::gates::{BEARER_ONLY, Extras, builder, guarded, routes};
use super::keys::{account, key};
use super::requests::{basic, bearer, call_of_grpc, request};
use super::service::{call, free_served};
use super::straight::{Left, Straight};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);

/// Makes a request from the text of a key.
type Ask = fn(&str) -> Request<()>;
/// Changes the record of the key.
type Edit = fn(KeyRecordBuilder) -> KeyRecordBuilder;

/// Requests with the key as it is, each with the name of the denial that refuses it.
const REQUESTS: &[(Ask, Option<&str>)] = &[
    (|key| with(&format!("Bearer {key}")), None),
    (|key| with(&format!("bEARER   {key}")), None),
    (|key| call_of_grpc(bearer(key)), None),
    (|key| at(Method::PUT, "/v1/users/7", key), None),
    (|key| over(Some(Connection::plain(peer())), key), Some("insecure_transport")),
    (|key| over(Some(Connection::unix_socket()), key), Some("insecure_transport")),
    (|key| over(None, key), Some("insecure_transport")),
    (|_| request("/v1/users", None), Some("credentials_missing")),
    (|key| request("/v1/users", basic(key)), Some("scheme_unsupported")),
    (|key| twice(key), Some("credentials_ambiguous")),
    (|key| with(key), Some("scheme_unsupported")),
    (|key| with(&format!(" Bearer {key}")), Some("credentials_malformed")),
    (|_| with("Bearer"), Some("credentials_malformed")),
    (|_| with("Bearer ="), Some("credentials_malformed")),
    (|key| with(&format!("Bearer {key},")), Some("credentials_malformed")),
    (|_| with(&format!("Bearer {}", "a".repeat(70_000))), Some("credentials_malformed")),
    (|key| with(&format!("Bearer {}", &key[1..])), Some("key_malformed")),
    (|key| with(&format!("Bearer {key}=")), Some("key_malformed")),
    (|key| with(&format!("Bearer acme_0{}", &key[6..])), Some("key_malformed")),
    (|_| with(&format!("Bearer {}", text(2))), Some("key_unknown")),
    (|key| at(Method::GET, "/v1/users/", key), Some("route_unknown")),
    (|key| at(Method::DELETE, "/v1/users", key), Some("route_unknown")),
    (|key| at(Method::PUT, "/v1/users/..", key), Some("route_unknown")),
    (|key| at(Method::PUT, "/v1/users/%37", key), Some("route_unknown")),
];

/// Changes of the record, each with the name of the denial that refuses a request with the key.
const RECORDS: &[(Edit, Option<&str>)] = &[
    (|key| key.networks(["192.0.2.0/24"]), None),
    (|key| key.environment("live").kind("service"), None),
    (|key| key.expires(NOW.plus(Duration::from_nanos(1))).not_before(NOW), None),
    (|key| key.revoked(true), Some("key_revoked")),
    (|key| key.disabled(true), Some("key_disabled")),
    (|key| key.expires(NOW), Some("key_expired")),
    (|key| key.not_before(NOW.plus(Duration::from_nanos(1))), Some("key_not_yet_valid")),
    (|key| key.audience("another_gate"), Some("key_unknown")),
    (|key| key.networks(["198.51.100.0/24"]), Some("network_not_allowed")),
    (|key| key.scopes(["users.write"]), Some("scope_missing")),
    (|key| key.revoked(true).networks(["198.51.100.0/24"]).scopes(["none"]), Some("key_revoked")),
    (|key| key.quotas([Quota::new("minute", 2, Duration::from_secs(60))]), Some("rate_limited")),
];

/// Asserts that a gate and a straight function decide alike, by the tables above.
pub(crate) fn assert_agreement() {
    let owner = || account(0);
    for (index, (ask, expected)) in REQUESTS.iter().enumerate() {
        let record = KeyRecord::builder("key_1", owner());
        assert_decisions(&format!("request {index}"), record, *ask, *expected);
    }
    let plain: Ask = |key| with(&format!("Bearer {key}"));
    for (index, (edit, expected)) in RECORDS.iter().enumerate() {
        let record = edit(KeyRecord::builder("key_1", owner()));
        assert_decisions(&format!("record {index}"), record, plain, *expected);
    }
    let disabled = Account::builder("account_0").disabled(true).build().expect("valid");
    let record = KeyRecord::builder("key_1", disabled);
    assert_decisions("disabled account", record, plain, Some("key_disabled"));
}

/// Asks a gate and a straight function three times each, under limiters of their own. Each last decision counts.
fn assert_decisions(case: &str, record: KeyRecordBuilder, ask: Ask, expected: Option<&str>) {
    let (text, store, clock) = (text(1), MemoryStore::new(), ManualClock::starting_at(NOW));
    let digest = KeyHasher::sha256().digest(text.as_bytes());
    store.add_now(digest, record.build().expect("valid"));
    let limiter = MemoryLimiter::new();
    let (clocked, extras) = (clock.clone(), Extras::Grant);
    let gate = builder(clocked, &BEARER_ONLY, store.clone(), limiter, extras).routes(routes());
    let mut gate = guarded(gate);
    for left in [Left::Nothing, Left::GrantAndHeaders, Left::GrantAndTemplate] {
        let straight = Straight::new(clock.clone(), &store, &Arc::default(), left);
        let decisions = [0, 1, 2].map(|_| straight.pass(ask(&text)).err());
        let [.., decided] = decisions.map(|denial| denial.map(|denial| denial.name()));
        assert_eq!(decided, expected, "the straight function, {case}, {left:?}");
    }
    let responses = [0, 1, 2].map(|_| call(&mut gate, ask(&text)));
    let [.., decided] = responses.map(|it| it.extensions().get().map(Denial::name));
    assert_eq!(decided, expected, "the gate, {case}");
    free_served();
}

fn text(seed: u64) -> String {
    key(&mut SmallRng::seed_from_u64(seed))
}

fn with(authorization: &str) -> Request<()> {
    request("/v1/users", HeaderValue::try_from(authorization).ok())
}

fn at(method: Method, path: &str, key: &str) -> Request<()> {
    let mut request = request(path, bearer(key));
    *request.method_mut() = method;
    request
}

fn twice(key: &str) -> Request<()> {
    let mut request = request("/v1/users", bearer(key));
    request.headers_mut().append("authorization", bearer(key).expect("valid"));
    request
}

fn peer() -> std::net::SocketAddr {
    "192.0.2.1:4711".parse().expect("an address")
}

fn over(connection: Option<Connection>, key: &str) -> Request<()> {
    let mut request = request("/v1/users", bearer(key));
    request.extensions_mut().clear();
    if let Some(connection) = connection {
        request.extensions_mut().insert(connection);
    }
    request
}
