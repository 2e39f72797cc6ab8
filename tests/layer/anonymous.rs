//! Optional mode and preflights: what passes without a key, and what does not.

use std::time::Duration;

use http::{Method, Request};
use tower::Layer;
use tower::util::BoxCloneSyncService;
use tower_api_key::concurrency::Concurrency;
use tower_api_key::key::{Account, AccountBuilder, KeyRecord};
use tower_api_key::limits::{MemoryLimiter, Plans};
use tower_api_key::profile::{CredentialSource, Expected, RequiredHeader};
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::request::Connection;
use tower_api_key::rules::{Route, Routes};
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, Preflight, Profile};

use crate::support::{
    KEY, PROFILE, anonymous, digest, greeting, reason, request, send, store, text,
};

const ONE_AN_HOUR: &[Quota] = &[Quota::new("hour", 1, Duration::from_secs(3_600))];

fn with(mut request: Request<()>, name: &'static str, value: &str) -> Request<()> {
    request.headers_mut().append(name, value.parse().unwrap());
    request
}

#[tokio::test]
async fn optional_mode_admits_only_absent_credentials() {
    let layer = ApiKeyLayer::builder(PROFILE, store(|key| key)).optional().build().unwrap();
    let service = greeting(&layer);
    let bare = || anonymous(Method::GET, "/");
    for (request, expected) in [
        (bare(), "admitted"),
        (request(Method::GET, "/"), "admitted"),
        (with(bare(), "authorization", "Digest abc"), "scheme_unsupported"),
        (with(bare(), "authorization", "Bearer"), "credentials_malformed"),
        (with(bare(), "authorization", "Bearer short"), "key_malformed"),
        (with(bare(), "authorization", "Bearer 0123456789abcdef"), "key_unknown"),
        (with(bare(), "x-api-key", ""), "credentials_malformed"),
        (with(request(Method::GET, "/"), "x-api-key", KEY), "credentials_ambiguous"),
    ] {
        let sent = format!("{request:?}");
        assert_eq!(reason(&send(&service, request).await), expected, "{sent}");
    }
    assert_eq!(text(send(&service, bare()).await).await, "hello stranger");
    assert_eq!(text(send(&service, request(Method::GET, "/")).await).await, "hello acme");
}

#[tokio::test]
async fn optional_mode_still_wants_https() {
    let layer = ApiKeyLayer::builder(PROFILE, store(|key| key)).optional().build().unwrap();
    let mut bare = anonymous(Method::GET, "/");
    bare.extensions_mut().insert(Connection::plain("192.0.2.1:1".parse().unwrap()));
    assert_eq!(reason(&send(&greeting(&layer), bare).await), "insecure_transport");
    let mut unmarked = anonymous(Method::GET, "/");
    unmarked.extensions_mut().remove::<Connection>();
    assert_eq!(reason(&send(&greeting(&layer), unmarked).await), "insecure_transport");
}

#[tokio::test]
async fn a_route_with_needs_is_not_open_to_strangers() {
    let routes = Routes::new()
        .on(&[Method::GET], "/open", Route::new())
        .on(&[Method::GET], "/scope", Route::new().all_of(&["users.read"]))
        .on(&[Method::GET], "/any", Route::new().any_of(&["users.read"]))
        .on(&[Method::GET], "/kind", Route::new().kinds(&["partner"]))
        .on(&[Method::GET], "/of/{account}", Route::new().account_parameter("account"))
        .on(&[], "/counted", Route::new().quotas(ONE_AN_HOUR))
        .on(&[], "/one", Route::new().concurrency(Concurrency::new(1)));
    let layer = ApiKeyLayer::builder(PROFILE, store(|key| key)).routes(routes).optional();
    let service = greeting(&layer.without_limits().build().unwrap());
    for (path, expected) in [
        ("/open", "admitted"),
        ("/scope", "credentials_missing"),
        ("/any", "credentials_missing"),
        ("/kind", "credentials_missing"),
        ("/of/acme", "credentials_missing"),
        ("/counted", "credentials_missing"),
        ("/one", "credentials_missing"),
        ("/unlisted", "credentials_missing"),
        ("//open", "credentials_missing"),
    ] {
        let response = send(&service, anonymous(Method::GET, path)).await;
        assert_eq!(reason(&response), expected, "{path}");
    }
}

#[tokio::test]
async fn preflights_pass_only_where_they_are_let_through() {
    let preflight = || {
        let request = anonymous(Method::OPTIONS, "/");
        let request = with(request, "origin", "https://example.com");
        with(request, "access-control-request-method", "GET")
    };
    let strict = ApiKeyLayer::builder(PROFILE, store(|key| key)).build().unwrap();
    let lenient = ApiKeyLayer::builder(PROFILE, store(|key| key)).allow_preflight();
    let (strict, lenient) = (greeting(&strict), greeting(&lenient.build().unwrap()));
    assert_eq!(reason(&send(&strict, preflight()).await), "credentials_missing");
    assert_eq!(reason(&send(&lenient, preflight()).await), "admitted");
    let mut incomplete = preflight();
    incomplete.headers_mut().remove("origin");
    assert_eq!(reason(&send(&lenient, incomplete).await), "credentials_missing");
    let mut get = preflight();
    *get.method_mut() = Method::GET;
    assert_eq!(reason(&send(&lenient, get).await), "credentials_missing");
    for (name, value) in [
        ("content-length", "1"),
        ("transfer-encoding", "chunked"),
        ("expect", "100-continue"),
        ("upgrade", "websocket"),
        ("origin", "https://other.example.com"),
        ("access-control-request-method", "PUT"),
    ] {
        let more = with(preflight(), name, value);
        assert_eq!(reason(&send(&lenient, more).await), "credentials_missing", "{name}");
    }
    let bad = with(preflight(), "authorization", "Bearer 0123456789abcdef");
    assert_eq!(reason(&send(&lenient, bad).await), "key_unknown");
}

const WITH_VERSION: Profile = Profile {
    required_headers: &[RequiredHeader { name: "x-version", expected: Expected::Present }],
    ..PROFILE
};

#[tokio::test]
async fn a_gate_that_answers_preflights_passes_none_on() {
    let preflight = |origin: &str| {
        let request = with(anonymous(Method::OPTIONS, "/admin//x"), "origin", origin);
        with(request, "access-control-request-method", "PUT")
    };
    let ours = || {
        Preflight::from_origins(["https://app.example.com", "http://localhost:3000"])
            .methods([Method::GET, Method::PUT])
            .headers(["X-Request-Id", "authorization"])
            .max_age(Duration::from_secs(600))
    };
    let gate = |preflight: Preflight| {
        let builder = ApiKeyLayer::builder(WITH_VERSION, store(|key| key));
        let routes = Routes::new().on(&[Method::PUT], "/x", Route::new());
        builder.routes(routes).allow_preflight().answer_preflight(preflight)
    };
    let service = greeting(&gate(ours()).build().unwrap());
    let answer = send(&service, preflight("https://app.example.com")).await;
    assert_eq!(answer.status(), 204);
    let expected = [
        (
            "access-control-allow-headers",
            "authorization,content-type,x-api-key,x-request-id,x-version",
        ),
        ("access-control-allow-methods", "GET,PUT"),
        ("access-control-allow-origin", "https://app.example.com"),
        ("access-control-max-age", "600"),
        ("vary", "authorization, x-api-key"),
        ("vary", "origin, access-control-request-method, access-control-request-headers"),
    ];
    let mut headers: Vec<_> = answer
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .collect();
    headers.sort_unstable();
    assert_eq!(headers, expected);
    assert_eq!(text(answer).await, "", "the service was not called");
    // Another origin learns nothing, and its browser refuses.
    for other in ["https://evil.example.com", "null", "https://app.example.com.evil.example"] {
        let answer = send(&service, preflight(other)).await;
        assert_eq!((answer.status().as_u16(), answer.headers().keys_len()), (204, 1), "{other}");
        assert!(answer.headers().contains_key("vary"));
    }
    let to_all = greeting(&gate(Preflight::from_any_origin()).build().unwrap());
    let answer = send(&to_all, preflight("null")).await;
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
    // What is no preflight in full, came in the clear, or has a credential is treated as ever.
    let with_body = with(preflight("https://app.example.com"), "content-length", "4");
    assert_eq!(reason(&send(&service, with_body).await), "credentials_missing");
    let mut plain = preflight("https://app.example.com");
    plain.extensions_mut().insert(Connection::plain("192.0.2.1:1".parse().unwrap()));
    assert_eq!(reason(&send(&service, plain).await), "insecure_transport");
    let bad = with(preflight("https://app.example.com"), "x-api-key", "0123456789abcdef");
    assert_eq!(reason(&send(&service, bad).await), "key_unknown");
    for wrong in [
        Preflight::from_origins(["app.example.com"]),
        Preflight::from_origins(Vec::<String>::new()),
        ours().headers(["no space"]),
    ] {
        assert!(gate(wrong.clone()).build().is_err(), "{wrong:?}");
    }
}

/// A gate that reads another header than the one around it.
const INNER: Profile = Profile { credentials: &[CredentialSource::header("x-inner")], ..PROFILE };

#[tokio::test]
async fn the_grant_of_a_gate_further_out_is_not_this_ones() {
    let outer = ApiKeyLayer::builder(PROFILE, store(|key| key)).build().unwrap();
    let inner = ApiKeyLayer::builder(INNER, MemoryStore::new()).optional().build().unwrap();
    let both = BoxCloneSyncService::new(outer.layer(greeting(&inner)));
    let response = tower::ServiceExt::oneshot(both, request(Method::GET, "/")).await.unwrap();
    assert_eq!(text(response).await, "hello stranger");
}

#[tokio::test]
async fn what_a_stranger_gets_varies_by_the_key_header() {
    let layer = ApiKeyLayer::builder(INNER, MemoryStore::new()).optional().build().unwrap();
    let response = send(&greeting(&layer), anonymous(Method::GET, "/")).await;
    assert_eq!(response.headers()["vary"], "x-inner");
    assert!(!response.headers().contains_key("cache-control"), "it may be cached");
}

const MINUTE: &[Quota] = &[Quota::new("minute", 2, Duration::from_secs(60))];

/// With a quota of the profile, of a plan, of the account or of the key; each counts keyed requests.
fn counted_gates() -> Vec<(&'static str, ApiKeyLayerBuilder)> {
    let of_profile = Profile { quotas: MINUTE, ..PROFILE };
    let account = |build: fn(AccountBuilder) -> AccountBuilder| {
        let store = MemoryStore::new();
        let account = build(Account::builder("acme")).build().unwrap();
        let record = KeyRecord::builder("key_1", account).build().unwrap();
        store.add_now(digest(KEY), record);
        store
    };
    let plans = Plans::new();
    plans.set("free", MINUTE.to_vec()).unwrap();
    let on_plan = account(|account| account.plan("free"));
    let own = account(|account| account.quotas(MINUTE.to_vec()));
    let of_key = store(|key| key.quotas(MINUTE.to_vec()));
    vec![
        ("profile", ApiKeyLayer::builder(of_profile, store(|key| key))),
        ("plan", ApiKeyLayer::builder(PROFILE, on_plan).plans(plans)),
        ("account", ApiKeyLayer::builder(PROFILE, own)),
        ("key", ApiKeyLayer::builder(PROFILE, of_key)),
    ]
}

#[tokio::test]
async fn leaving_the_key_out_lifts_no_limit() {
    let routes = Routes::new()
        .on(&[], "/open", Route::new())
        .on(&[], "/dear", Route::new().cost(2))
        .on(&[], "/free", Route::new().cost(0))
        .on(&[], "/metered", Route::new().cost(0).metered());
    for table in [None, Some(routes)] {
        for (quota, builder) in counted_gates() {
            let builder = builder.limits(MemoryLimiter::new(), OnLimiterFailure::Deny).optional();
            let builder = match &table {
                Some(routes) => builder.routes(routes.clone()),
                None => builder,
            };
            let service = greeting(&builder.build().unwrap());
            for path in ["/open", "/dear", "/metered"] {
                let stranger = send(&service, anonymous(Method::GET, path)).await;
                assert_eq!(reason(&stranger), "credentials_missing", "{quota} {path}");
            }
            let free = send(&service, anonymous(Method::GET, "/free")).await;
            let expected = if table.is_some() { "admitted" } else { "credentials_missing" };
            assert_eq!(reason(&free), expected, "{quota}");
            for expected in ["admitted", "admitted", "rate_limited"] {
                let keyed = send(&service, request(Method::GET, "/open")).await;
                assert_eq!(reason(&keyed), expected, "{quota}");
            }
        }
    }
}

#[tokio::test]
async fn where_nothing_is_counted_strangers_pass_whatever_a_route_costs() {
    let routes = Routes::new().on(&[], "/dear", Route::new().cost(2));
    let of_profile = Profile { quotas: MINUTE, ..PROFILE };
    let uncounted = ApiKeyLayer::builder(of_profile, store(|key| key)).without_limits();
    for builder in [uncounted, ApiKeyLayer::builder(PROFILE, store(|key| key))] {
        let layer = builder.routes(routes.clone()).optional().build().unwrap();
        let stranger = send(&greeting(&layer), anonymous(Method::GET, "/dear")).await;
        assert_eq!(reason(&stranger), "admitted");
    }
}
