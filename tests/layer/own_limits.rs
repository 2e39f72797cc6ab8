//! Routes with limits apart from the account's, and costs by query.

use std::time::Duration;

use http::{Method, Response};
use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::key::KeyRecord;
use tower_api_key::limits::{AnonymousQuotas, MemoryLimiter};
use tower_api_key::profile::{LimitField, LimitHeaders, LimitValue};
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::rules::{Otherwise, QueryCost, Route, Routes};
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, ConfigError, Profile};

use crate::support::{PROFILE, account, anonymous, greeting, reason, request, send, store, tls};

const MINUTE: Duration = Duration::from_secs(60);
const CORE: &[Quota] = &[Quota::new("core", 10, MINUTE)];
const SEARCHES: &[Quota] = &[Quota::new("search", 2, MINUTE)];
const FEW: &[Quota] = &[Quota::new("search", 1, MINUTE)];
const SEARCH: Route = Route::new().quotas(SEARCHES).only_own_quotas();
const INCLUDED: &[QueryCost] =
    &[QueryCost { parameter: "include", each: 2 }, QueryCost { parameter: "expand", each: 1 }];
const HEADERS: LimitHeaders = LimitHeaders {
    fields: &[
        LimitField::new("x-resource", LimitValue::QuotaName),
        LimitField::new("x-used-by-request", LimitValue::Cost).decimals(1),
        LimitField::new("x-left", LimitValue::Remaining),
    ],
    ..LimitHeaders::NONE
};
const LIMITED: Profile = Profile { quotas: CORE, limit_headers: HEADERS, ..PROFILE };

fn builder(routes: Routes) -> ApiKeyLayerBuilder {
    ApiKeyLayer::builder(LIMITED, store(|key| key))
        .routes(routes)
        .limits(MemoryLimiter::new(), OnLimiterFailure::Deny)
        .clock(ManualClock::starting_at(Timestamp::from_unix_seconds(1_700_000_000)))
}

fn routes() -> Routes {
    Routes::new()
        .get("/search", SEARCH)
        .get("/silent", Route::new().without_limit_headers())
        .get("/forbidden", Route::new().all_of(&["users.read"]).without_limit_headers())
        .get("/tickets", Route::new().query_costs(INCLUDED))
        .otherwise(Otherwise::Need(Route::new()))
}

/// The quota, the cost and the rest that a response reports.
fn limits<B>(response: &Response<B>) -> Option<(&str, &str, &str)> {
    let value = |name| Some(response.headers().get(name)?.to_str().unwrap());
    Some((value("x-resource")?, value("x-used-by-request")?, value("x-left")?))
}

#[tokio::test]
async fn a_route_can_have_only_its_own_quotas() {
    let service = greeting(&builder(routes()).build().unwrap());
    for (path, expected) in [
        ("/search", ("search", "1.0", "1")),
        ("/", ("core", "1.0", "9")),
        ("/search", ("search", "1.0", "0")),
        ("/", ("core", "1.0", "8")),
    ] {
        let response = send(&service, request(Method::GET, path)).await;
        assert_eq!((reason(&response), limits(&response)), ("admitted", Some(expected)), "{path}");
    }
    let refused = send(&service, request(Method::GET, "/search")).await;
    assert_eq!(
        (reason(&refused), limits(&refused)),
        ("rate_limited", Some(("search", "1.0", "0")))
    );
    let other = send(&service, request(Method::GET, "/")).await;
    assert_eq!(limits(&other), Some(("core", "1.0", "7")));
}

#[tokio::test]
async fn anonymous_requests_count_in_the_routes_quotas_only() {
    let routes = Routes::new()
        .get("/search", SEARCH.anonymous_quotas(FEW))
        .otherwise(Otherwise::Need(Route::new()));
    let layer =
        builder(routes).optional().anonymous_quotas(AnonymousQuotas::new(CORE.to_vec())).build();
    let service = greeting(&layer.unwrap());
    for (path, expected) in [
        ("/search", ("admitted", Some(("search", "1.0", "0")))),
        ("/search", ("rate_limited", Some(("search", "1.0", "0")))),
        ("/", ("admitted", Some(("core", "1.0", "9")))),
    ] {
        let response = send(&service, anonymous(Method::GET, path)).await;
        assert_eq!((reason(&response), limits(&response)), expected, "{path}");
    }
}

#[tokio::test]
async fn a_silent_route_counts_and_reports_nothing() {
    let service = greeting(&builder(routes()).build().unwrap());
    let silent = send(&service, request(Method::GET, "/silent")).await;
    assert_eq!((reason(&silent), limits(&silent)), ("admitted", None));
    let forbidden = send(&service, request(Method::GET, "/forbidden")).await;
    assert_eq!((reason(&forbidden), limits(&forbidden)), ("scope_missing", None));
    for left in (0..9).rev() {
        let response = send(&service, request(Method::GET, "/")).await;
        assert_eq!(limits(&response), Some(("core", "1.0", left.to_string().as_str())));
    }
    let refused = send(&service, request(Method::GET, "/silent")).await;
    assert_eq!((reason(&refused), limits(&refused)), ("rate_limited", None));
    assert_eq!(refused.headers()["retry-after"], "60");
}

#[tokio::test]
async fn a_request_costs_what_its_query_asks_for() {
    for (query, expected) in [
        ("", ("1.0", "9")),
        ("?page=2", ("1.0", "9")),
        ("?include=requester", ("3.0", "7")),
        ("?include=requester,stats&expand=all", ("6.0", "4")),
        ("?incl%75de=requester%2Cstats", ("5.0", "5")),
    ] {
        let layer = builder(routes()).build().unwrap();
        let path = format!("/tickets{query}");
        let response = send(&greeting(&layer), request(Method::GET, &path)).await;
        assert_eq!(limits(&response), Some(("core", expected.0, expected.1)), "{query}");
        let record = KeyRecord::builder("key_1", account("acme")).build().unwrap();
        let now = Timestamp::from_unix_seconds(1_700_000_000);
        let explained = layer.explain(&request(Method::GET, &path), tls(), Some(&record), now);
        assert_eq!(format!("{}.0", explained.cost()), expected.0, "{query}");
    }
    // More than the whole quota is never admitted, however much it is.
    let service = greeting(&builder(routes()).build().unwrap());
    let many = format!("/tickets?include={}", "a,".repeat(20_000));
    let refused = send(&service, request(Method::GET, &many)).await;
    assert_eq!(
        (reason(&refused), limits(&refused)),
        ("rate_limited", Some(("core", "40001.0", "10")))
    );
}

#[test]
fn contradictory_limits_of_a_route_are_refused() {
    let named = |parameter| QueryCost { parameter, each: 1 };
    let twice = [named("include"), named("Include")];
    let cheap = [QueryCost { parameter: "include", each: 0 }];
    for (route, word) in [
        (Route::new().only_own_quotas(), "quotas"),
        (Route::new().query_costs(&[named("")]), "name"),
        (Route::new().query_costs(&[named("a b")]), "name"),
        (Route::new().query_costs(&twice), "twice"),
        (Route::new().query_costs(&cheap), "at least 1"),
    ] {
        let error = builder(Routes::new().get("/a", route)).build().unwrap_err();
        assert!(matches!(error, ConfigError::Route(_)), "{error}");
        assert!(error.to_string().contains(word), "{error}");
    }
    // The account's quota is too small for the route, which does not count in it.
    let dear = Route::new().quotas(CORE).cost(10).only_own_quotas();
    let small = Profile { quotas: FEW, ..LIMITED };
    let layer = ApiKeyLayer::builder(small, store(|key| key))
        .routes(Routes::new().get("/a", dear))
        .limits(MemoryLimiter::new(), OnLimiterFailure::Deny);
    assert!(layer.build().is_ok());
}
