//! A sixth vendor, whose keys come in a header of their own: caches must be told.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::profile::CredentialSource;
use tower_api_key::quota::OnLimiterFailure;
use tower_api_key::rules::{Route, RouteRow};
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, Profile, vendors};

use super::case::{Case, Lines, SERVED, Transport, World};
use super::gate::{Gate, digest};
use crate::source::Source;

const PROFILE: Profile = Profile {
    name: "Sixth",
    realm: "sixth \"realm\"",
    credentials: &[CredentialSource::header("x-api-key"), CredentialSource::bearer()],
    quotas: &[],
    ..vendors::REST_INTEGRATIONS
};
const OWN_ONLY: Profile =
    Profile { credentials: &[CredentialSource::header("x-api-key")], ..PROFILE };
const ROUTES: &[RouteRow] = &[RouteRow { methods: &[], path: "/items", route: Route::new() }];
const KEY: &str = "sixth_4f8a9b2c7d3e4f1a9b0c2d3e4f5a6b7c";
const OWN: Lines = &[("x-api-key", KEY)];
const PRIVATE: Lines = &[("cache-control", "private"), ("vary", "x-api-key")];

const CHALLENGE: &str = r#"ApiKey realm="sixth \"realm\"", header="x-api-key""#;
const BARE: &[&str] = &[CHALLENGE, r#"Bearer realm="sixth \"realm\"""#];
const TOKEN: &[&str] = &[CHALLENGE, r#"Bearer realm="sixth \"realm\"", error="invalid_token""#];
const REQUEST: &[&str] = &[r#"Bearer realm="sixth \"realm\"", error="invalid_request""#];
const MISSING: &str = r#"{"error":"Missing API key."}"#;
const INVALID: &str = r#"{"error":"Invalid API key provided."}"#;
const MALFORMED: &str = r#"{"error":"Malformed Authorization header."}"#;

const GOOD: Case = Case {
    name: "a key in its own header",
    profile: PROFILE,
    source: Source::Constant,
    routes: ROUTES,
    environment: None,
    world: World::Sound,
    transport: Transport::Tls,
    method: "GET",
    target: "/items",
    authorization: &[],
    headers: OWN,
    key: KEY,
    record: Some(|record| record),
    content_type: "application/json",
    reply: SERVED,
}
.served(PRIVATE);

const BEARER: &[&str] = &["Bearer sixth_4f8a9b2c7d3e4f1a9b0c2d3e4f5a6b7c"];

const CASES: &[Case] = &[
    GOOD,
    GOOD.name("Bearer, which caches know").headers(&[]).authorization(BEARER).served(&[]),
    GOOD.name("an Authorization that the profile does not read")
        .profile(OWN_ONLY)
        .authorization(BEARER),
    GOOD.name("nothing").headers(&[]).refused("credentials_missing", 401, MISSING, BARE),
    GOOD.name("nothing, with one source")
        .profile(OWN_ONLY)
        .headers(&[])
        .authorization(BEARER)
        .refused("credentials_missing", 401, MISSING, &[CHALLENGE]),
    GOOD.name("an unknown key").unknown().refused("key_unknown", 401, INVALID, TOKEN),
    GOOD.name("both").authorization(BEARER).refused(
        "credentials_ambiguous",
        400,
        MALFORMED,
        REQUEST,
    ),
    GOOD.name("twice").headers(&[("x-api-key", KEY), ("x-api-key", KEY)]).refused(
        "credentials_ambiguous",
        400,
        MALFORMED,
        REQUEST,
    ),
    GOOD.name("empty").headers(&[("x-api-key", "")]).refused(
        "credentials_malformed",
        400,
        MALFORMED,
        REQUEST,
    ),
    GOOD.name("a list")
        .headers(&[("x-api-key", "sixth_4f8a9b2c7d3e4f1a, sixth_4f8a9b2c7d3e4f1a")])
        .refused("credentials_malformed", 400, MALFORMED, REQUEST),
    GOOD.name("a store that fails")
        .world(World::StoreFails)
        .refused("store_unavailable", 503, r#"{"error":"Service temporarily unavailable."}"#, &[])
        .with(&[("retry-after", "5")]),
];

#[tokio::test]
async fn every_row_is_answered_to_the_byte() {
    let mut found = Vec::new();
    for case in CASES {
        found.extend(Box::pin(case.differences()).await);
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[tokio::test]
async fn what_the_service_says_of_caching_stands() {
    for (set, expected) in [
        (&[][..], &["cache-control: private", "vary: x-api-key"][..]),
        (
            &[("cache-control", "public, max-age=60")],
            &["cache-control: public, max-age=60", "vary: x-api-key"],
        ),
        (&[("vary", "accept")], &["cache-control: private", "vary: accept", "vary: x-api-key"]),
        (&[("vary", "Accept, X-API-Key")], &["cache-control: private", "vary: Accept, X-API-Key"]),
        (&[("vary", "*")], &["cache-control: private", "vary: *"]),
    ] {
        let store = MemoryStore::new();
        Gate::of(&GOOD).store.records("acme").iter().for_each(|record| {
            store.add_now(digest(KEY), (**record).clone());
        });
        let layer = ApiKeyLayer::builder(PROFILE, store)
            .limits(MemoryLimiter::new(), OnLimiterFailure::Deny)
            .build()
            .unwrap();
        let service = layer.layer(service_fn(|_: Request<()>| async move {
            let mut response = Response::new(Full::<Bytes>::default());
            for (name, value) in set {
                response.headers_mut().append(*name, value.parse().unwrap());
            }
            Ok::<_, std::convert::Infallible>(response)
        }));
        let response = service.oneshot(GOOD.to_request()).await.unwrap();
        assert_eq!(response.status(), 200);
        let mut lines: Vec<String> = response
            .headers()
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        lines.sort();
        assert_eq!(lines, expected, "{set:?}");
    }
}
