//! Quotas of requests without a key, by the client's network.

use std::net::Ipv6Addr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Method, Request, Response};
use tower_api_key::caller::ClientNetwork;
use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::concurrency::Concurrency;
use tower_api_key::decision::{Check, Outcome};
use tower_api_key::key::Networks;
use tower_api_key::limits::{
    AnonymousQuotas, Charge, Limiter, LimiterError, LimiterFailures, MemoryLimiter,
};
use tower_api_key::profile::{LimitHeaders, PrincipalHeader, PrincipalValue};
use tower_api_key::quota::{OnLimiterFailure, Quota, Share, Verdict};
use tower_api_key::request::{Connection, ProxyHeaders, TrustedProxies};
use tower_api_key::rules::{Route, Routes};
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, Observer, Profile, Reply};

use crate::support::{
    Body, PROFILE, Service, anonymous, greeting, reason, request, send, store, text,
};

const MINUTE: Duration = Duration::from_secs(60);
const TWO: Quota = Quota::new("anonymous", 2, MINUTE);
const OWN: &[Quota] = &[Quota::new("own", 2, MINUTE)];
const KEYED: &[Quota] = &[Quota::new("keyed", 5, MINUTE)];
const LOUD: Profile = Profile { limit_headers: LimitHeaders::RATE_LIMIT, quotas: KEYED, ..PROFILE };

fn builder(profile: Profile) -> ApiKeyLayerBuilder {
    ApiKeyLayer::builder(profile, store(|key| key))
        .limits(MemoryLimiter::new(), OnLimiterFailure::Deny)
        .optional()
}

fn counted(quotas: impl IntoIterator<Item = Quota>) -> ApiKeyLayerBuilder {
    builder(LOUD).anonymous_quotas(AnonymousQuotas::new(quotas))
}

fn from(address: &str, path: &str) -> Request<()> {
    let mut request = anonymous(Method::GET, path);
    let peer = (address.parse::<std::net::IpAddr>().unwrap(), 4711).into();
    request.extensions_mut().insert(Connection::tls(peer));
    request
}

fn limits(response: &Response<Body>) -> [&str; 3] {
    let field = |name| response.headers().get(name).map_or("", |value| value.to_str().unwrap());
    ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"].map(field)
}

async fn reasons(service: &Service, address: &str, path: &str, times: usize) -> Vec<&'static str> {
    let mut reasons = Vec::new();
    for _ in 0..times {
        reasons.push(reason(&send(service, from(address, path)).await));
    }
    reasons
}

const PASS: &str = "admitted";
const FULL: &str = "rate_limited";
const NO_KEY: &str = "credentials_missing";

#[tokio::test]
async fn a_route_is_open_if_all_that_counts_for_keys_counts_for_networks() {
    let routes = Routes::new()
        .get("/open", Route::new())
        .get("/free", Route::new().cost(0))
        .get("/quotas", Route::new().quotas(KEYED))
        .get("/both", Route::new().quotas(KEYED).anonymous_quotas(OWN))
        .get("/own", Route::new().anonymous_quotas(OWN))
        .get("/metered", Route::new().metered())
        .get("/scope", Route::new().all_of(&["users.read"]))
        .get("/kind", Route::new().kinds(&["partner"]))
        .get("/one", Route::new().concurrency(Concurrency::new(1)));
    let general = || AnonymousQuotas::new([Quota::new("anonymous", 50, MINUTE)]);
    let on_routes = builder(LOUD).routes(routes.clone()).build().unwrap();
    let on_both = builder(LOUD).routes(routes.clone()).anonymous_quotas(general());
    // Nothing is counted, so only a route without quotas is open, as without anonymous quotas.
    let off = ApiKeyLayer::builder(LOUD, store(|key| key)).routes(routes).without_limits();
    let off = off.optional().build().unwrap();
    let services = [on_routes, on_both.build().unwrap(), off].map(|layer| greeting(&layer));
    for (path, expected) in [
        ("/open", [NO_KEY, PASS, PASS]),
        ("/free", [PASS, PASS, PASS]),
        ("/quotas", [NO_KEY, NO_KEY, NO_KEY]),
        ("/both", [PASS, PASS, NO_KEY]),
        ("/own", [PASS, PASS, PASS]),
        ("/metered", [NO_KEY, NO_KEY, PASS]),
        ("/scope", [NO_KEY; 3]),
        ("/kind", [NO_KEY; 3]),
        ("/one", [NO_KEY; 3]),
        ("/unlisted", [NO_KEY; 3]),
    ] {
        for (service, expected) in services.iter().zip(expected) {
            let response = send(service, from("192.0.2.1", path)).await;
            assert_eq!(reason(&response), expected, "{path}");
        }
    }
    // The routes share a quota of one name, and are over it.
    for path in ["/both", "/own"] {
        assert_eq!(reasons(&services[1], "192.0.2.1", path, 1).await, [FULL], "{path}");
    }
}

#[tokio::test]
async fn passes_and_refusals_have_the_limit_headers_and_the_vendors_words() {
    let clock = ManualClock::starting_at(Timestamp::from_unix_seconds(1_000));
    let service = greeting(&counted([TWO]).clock(clock.clone()).build().unwrap());
    for remaining in ["1", "0"] {
        let response = send(&service, from("192.0.2.1", "/")).await;
        assert_eq!(limits(&response), ["2", remaining, "60"]);
        assert_eq!(text(response).await, "hello stranger");
    }
    clock.advance(Duration::from_millis(10_500));
    let refused = send(&service, from("192.0.2.1", "/")).await;
    assert_eq!((refused.status().as_u16(), limits(&refused)), (429, ["2", "0", "50"]));
    assert_eq!(refused.headers()["retry-after"], "50");
    assert_eq!(refused.headers()["cache-control"], "no-store");
    assert_eq!(refused.headers()["vary"], "authorization, x-api-key");
    assert_eq!(text(refused).await, r#"{"error":"Rate limit exceeded."}"#);
    // Another network has its own count. The first is served again when its window is over.
    assert_eq!(reasons(&service, "192.0.2.2", "/", 3).await, [PASS, PASS, FULL]);
    clock.advance(Duration::from_millis(49_500));
    assert_eq!(reasons(&service, "192.0.2.1", "/", 1).await, [PASS]);
}

#[tokio::test]
async fn a_key_counts_by_its_account_and_not_by_its_network() {
    let service = greeting(&counted([TWO]).build().unwrap());
    for remaining in ["4", "3", "2"] {
        let keyed = send(&service, request(Method::GET, "/")).await;
        assert_eq!(limits(&keyed)[..2], ["5", remaining]);
    }
    // The same client without its key.
    assert_eq!(reasons(&service, "192.0.2.1", "/", 3).await, [PASS, PASS, FULL]);
    let keyed = send(&service, request(Method::GET, "/")).await;
    assert_eq!((reason(&keyed), limits(&keyed)[1]), (PASS, "1"));
    // A bad key is no way in, and counts for no network.
    let mut bad = from("192.0.2.9", "/");
    bad.headers_mut().insert("authorization", "Bearer key_ffffffffffffffff".parse().unwrap());
    assert_eq!(reason(&send(&service, bad).await), "key_unknown");
    assert_eq!(limits(&send(&service, from("192.0.2.9", "/")).await)[1], "1");
}

#[tokio::test]
async fn addresses_of_one_network_share_its_quota() {
    for (prefixes, one, other, share) in [
        (None, "192.0.2.1", "192.0.2.2", false),
        (None, "192.0.2.1", "::ffff:192.0.2.1", true),
        (None, "192.0.2.1", "64:ff9b::192.0.2.1", true),
        (None, "64:ff9b::192.0.2.1", "64:ff9b::192.0.2.2", false),
        (None, "::ffff:192.0.2.1", "::ffff:192.0.2.2", false),
        (None, "2001:db8:1:2::1", "2001:db8:1:2:f::9", true),
        (None, "2001:db8:1:2::1", "2001:db8:1:3::1", false),
        (None, "::1", "0.0.0.1", false),
        (Some((24, 48)), "192.0.2.1", "192.0.2.2", true),
        (Some((24, 48)), "2001:db8:1:2::1", "2001:db8:1:3::1", true),
        (Some((24, 48)), "2001:db8:1:2::1", "2001:db8:2:2::1", false),
    ] {
        let mut quotas = AnonymousQuotas::new([TWO]);
        if let Some((four, six)) = prefixes {
            quotas = quotas.prefixes(four, six);
        }
        let service = greeting(&builder(LOUD).anonymous_quotas(quotas).build().unwrap());
        assert_eq!(reasons(&service, one, "/", 2).await, [PASS; 2]);
        let expected = if share { FULL } else { PASS };
        assert_eq!(reasons(&service, other, "/", 1).await, [expected], "{one} {other}");
    }
}

#[tokio::test]
async fn clients_of_unknown_address_share_one_network() {
    let networks = Networks::new(["10.0.0.0/8"]).unwrap();
    let proxies = TrustedProxies::new(networks, ProxyHeaders::Either);
    let service = greeting(&counted([TWO]).trusted_proxies(proxies).build().unwrap());
    let behind = |fields: &[(&'static str, &str)]| {
        let mut request = from("10.0.0.1", "/");
        for (name, value) in fields {
            request.headers_mut().append(*name, value.parse().unwrap());
        }
        request
    };
    let proto = ("x-forwarded-proto", "https");
    for (fields, expected) in [
        (&[proto, ("x-forwarded-for", "what")][..], PASS),
        // The two kinds of header contradict each other.
        (
            &[proto, ("x-forwarded-for", "192.0.2.1"), ("forwarded", "for=192.0.2.2;proto=https")],
            PASS,
        ),
        (&[proto], FULL),
        (&[proto, ("x-forwarded-for", "192.0.2.1")], PASS),
        (&[proto, ("x-forwarded-for", "192.0.2.9, ::ffff:192.0.2.1")], PASS),
        (&[proto, ("x-forwarded-for", "192.0.2.8, 192.0.2.1:4711")], FULL),
        (&[proto, ("x-forwarded-for", "[2001:db8::1]:80")], PASS),
        (&[("forwarded", "for=\"[2001:db8::2]\";proto=https")], PASS),
        (&[proto, ("x-forwarded-for", "2001:db8::3, 10.9.9.9")], FULL),
    ] {
        assert_eq!(reason(&send(&service, behind(fields)).await), expected, "{fields:?}");
    }
    let layer = counted([TWO]).assume_https().build().unwrap();
    let service = greeting(&layer);
    for expected in [PASS, PASS, FULL] {
        let mut request = anonymous(Method::GET, "/");
        request.extensions_mut().remove::<Connection>();
        assert_eq!(reason(&send(&service, request).await), expected);
    }
}

#[tokio::test]
async fn a_network_pays_what_a_route_costs_or_nothing() {
    let routes = Routes::new()
        .get("/one", Route::new())
        .get("/two", Route::new().cost(2))
        .get("/none", Route::new().cost(0));
    let three = Quota::new("anonymous", 3, MINUTE);
    let service = greeting(&counted([three]).routes(routes).build().unwrap());
    for (path, expected, remaining) in [
        ("/none", PASS, "3"),
        ("/two", PASS, "1"),
        ("/two", FULL, "1"),
        ("/one", PASS, "0"),
        ("/one", FULL, "0"),
        ("/none", PASS, "0"),
    ] {
        let response = send(&service, from("2001:db8::1", path)).await;
        assert_eq!((reason(&response), limits(&response)[1]), (expected, remaining), "{path}");
    }
}

/// A limiter that fails, at once or later; or one that answers later.
#[derive(Clone)]
enum Slow {
    Fails,
    FailsLater,
    Answers(Arc<MemoryLimiter>),
}

impl Limiter for Slow {
    fn charge(&self, charge: Charge<'_>) -> Reply<Result<Verdict, LimiterError>> {
        let failed = || Err(LimiterError::new("connection reset"));
        match self {
            Self::Fails => Reply::now(failed()),
            Self::FailsLater => Reply::later(async move { failed() }),
            Self::Answers(limiter) => {
                let answer = limiter.charge(charge);
                Reply::later(async move {
                    tokio::task::yield_now().await;
                    answer.await
                })
            }
        }
    }
}

#[tokio::test]
async fn a_failed_limiter_is_each_quotas_choice() {
    let half = OnLimiterFailure::Local(Share::of(NonZeroU32::new(2).unwrap()));
    let own = |choice| TWO.with_failure_choice(choice);
    for limiter in [Slow::Fails, Slow::FailsLater] {
        for (quota, otherwise, expected, failures) in [
            (TWO, OnLimiterFailure::Deny, ["limiter_unavailable"; 2], (2, 0, 0)),
            (TWO, OnLimiterFailure::Allow, [PASS; 2], (0, 2, 0)),
            (TWO, half, [PASS, FULL], (0, 0, 2)),
            (own(half), OnLimiterFailure::Allow, [PASS, FULL], (0, 0, 2)),
            (own(OnLimiterFailure::Deny), half, ["limiter_unavailable"; 2], (2, 0, 0)),
        ] {
            let layer = ApiKeyLayer::builder(LOUD, store(|key| key))
                .limits(limiter.clone(), otherwise)
                .optional()
                .anonymous_quotas(AnonymousQuotas::new([quota]))
                .build()
                .unwrap();
            let service = greeting(&layer);
            assert_eq!(reasons(&service, "192.0.2.1", "/", 2).await, expected, "{otherwise:?}");
            let LimiterFailures { denied, allowed, local, .. } = layer.limiter_failures();
            assert_eq!((denied, allowed, local), failures, "{otherwise:?}");
        }
    }
}

#[tokio::test]
async fn a_limiter_that_answers_later_counts_the_same() {
    let layer = ApiKeyLayer::builder(LOUD, store(|key| key))
        .limits(Slow::Answers(Arc::default()), OnLimiterFailure::Deny)
        .optional()
        .anonymous_quotas(AnonymousQuotas::new([TWO]))
        .build()
        .unwrap();
    let service = greeting(&layer);
    for (expected, remaining) in [(PASS, "1"), (PASS, "0"), (FULL, "0")] {
        let response = send(&service, from("192.0.2.1", "/")).await;
        assert_eq!((reason(&response), limits(&response)[1]), (expected, remaining));
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Observer for Log {
    fn would_refuse_anonymous(&self, network: &ClientNetwork, quota: &str) {
        self.0.lock().unwrap().push(format!("{network} {quota}"));
    }
}

#[tokio::test]
async fn a_quota_in_shadow_is_reported_for_the_network() {
    let log = Log::default();
    let dark = Quota::new("dark", 1, MINUTE).in_shadow();
    let layer = counted([dark, TWO]).observer(log.clone()).build().unwrap();
    assert_eq!(reasons(&greeting(&layer), "2001:db8::1", "/", 3).await, [PASS, PASS, FULL]);
    assert_eq!(*log.0.lock().unwrap(), ["2001:db8::/64 dark"]);
}

/// The name of the account of a request that has none would be forged.
#[tokio::test]
async fn headers_about_a_key_are_removed_and_no_address_is_written() {
    const FORGED: Profile = Profile {
        principal_headers: &[PrincipalHeader { name: "x-echo", value: PrincipalValue::Account }],
        limit_headers: LimitHeaders { partition_keys: true, ..LimitHeaders::STRUCTURED },
        ..PROFILE
    };
    let layer = builder(FORGED).anonymous_quotas(AnonymousQuotas::new([TWO])).build().unwrap();
    let service = tower::Layer::layer(
        &layer,
        tower::service_fn(|_: Request<()>| async {
            let response = Response::builder().header("x-echo", "acme");
            Ok::<_, std::convert::Infallible>(
                response.body(http_body_util::Empty::<bytes::Bytes>::new()).unwrap(),
            )
        }),
    );
    let response = tower::ServiceExt::oneshot(service, from("192.0.2.1", "/")).await.unwrap();
    assert!(!response.headers().contains_key("x-echo"));
    assert_eq!(response.headers()["ratelimit-policy"], r#""anonymous";q=2;w=60"#);
    assert_eq!(response.headers()["ratelimit"], r#""anonymous";r=1;t=60"#);
}

#[tokio::test]
async fn a_grpc_call_over_the_limit_is_refused_in_its_own_form() {
    let builder = counted([Quota::new("anonymous", 1, MINUTE)]).grpc_services(["users.v1.Users"]);
    let service = greeting(&builder.build().unwrap());
    let call = || {
        let mut call = from("192.0.2.1", "/users.v1.Users/List");
        *call.method_mut() = Method::POST;
        call.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
        call
    };
    assert_eq!(reason(&send(&service, call()).await), PASS);
    let refused = send(&service, call()).await;
    assert_eq!((refused.status().as_u16(), reason(&refused)), (200, FULL));
    assert_eq!(refused.headers()["grpc-status"], "8");
    assert_eq!(limits(&refused)[1], "0");
}

/// An attacker with many networks uses up one more quota, and takes nothing from accounts.
#[tokio::test]
async fn networks_beyond_the_memory_share_a_quota_and_accounts_keep_theirs() {
    let limiter = Arc::new(MemoryLimiter::with_capacity(16).with_networks(64));
    let layer = ApiKeyLayer::builder(LOUD, store(|key| key))
        .limits(Arc::clone(&limiter), OnLimiterFailure::Allow)
        .optional()
        .anonymous_quotas(AnonymousQuotas::new([TWO]))
        .clock(ManualClock::starting_at(Timestamp::from_unix_seconds(1_000)))
        .build()
        .unwrap();
    let service = greeting(&layer);
    for _ in 0..5 {
        assert_eq!(reason(&send(&service, request(Method::GET, "/")).await), PASS);
    }
    assert_eq!(reasons(&service, "192.0.2.1", "/", 2).await, [PASS; 2]);
    let mut passed = 0;
    for number in 0..2_000 {
        let address = Ipv6Addr::new(0x2001, 0xdb8, 1, number, 0, 0, 0, 1).to_string();
        passed += usize::from(reasons(&service, &address, "/", 1).await == [PASS]);
    }
    assert!(limiter.networks() <= 64, "{}", limiter.networks());
    assert!(passed <= 64 + 2, "{passed} of a flood passed");
    assert_eq!(reason(&send(&service, request(Method::GET, "/")).await), FULL, "of the account");
    assert_eq!(reasons(&service, "192.0.2.1", "/", 1).await, [FULL], "it came before the flood");
    let failures = layer.limiter_failures();
    assert_eq!(failures, LimiterFailures::default(), "a full memory is no failure to allow");
}

#[test]
fn an_explanation_says_that_the_network_is_counted() {
    let routes = Routes::new()
        .get("/two", Route::new().cost(2))
        .get("/none", Route::new().cost(0))
        .get("/users", Route::new().all_of(&["users.read"]));
    let layer = counted([TWO]).routes(routes).build().unwrap();
    for (address, path, network, cost, outcome) in [
        ("2001:db8:1:2::3", "/two", Some("2001:db8:1:2::/64"), 2, Outcome::Depends),
        ("::ffff:192.0.2.1", "/two", Some("192.0.2.1/32"), 2, Outcome::Depends),
        ("192.0.2.1", "/none", Some("192.0.2.1/32"), 0, Outcome::Passed),
        ("192.0.2.1", "/users", None, 0, Outcome::NotReached),
    ] {
        let connection = Connection::tls((address.parse::<std::net::IpAddr>().unwrap(), 1).into());
        let request = Request::get(path).body(()).unwrap();
        let told = layer.explain(&request, connection, None, Timestamp::default());
        let counted = told.network().map(ToString::to_string);
        assert_eq!((counted.as_deref(), told.cost()), (network, cost), "{path}");
        assert_eq!(told.outcome(Check::RequestLimits), &outcome, "{path}");
        let ends = told.to_string().ends_with("admitted without a key, counted by its network");
        assert_eq!(ends, network.is_some());
    }
    let request = Request::get("/two").body(()).unwrap();
    let told = layer.explain(&request, Connection::unknown(), None, Timestamp::default());
    assert_eq!(told.network(), Some(&ClientNetwork::UNKNOWN));
}
