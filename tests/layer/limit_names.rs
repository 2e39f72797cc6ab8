//! Names of limit headers: which of them can meet, and which the profile cannot have.

use std::time::Duration;

use http::Method;
use tower_api_key::key::KeyRecordBuilder;
use tower_api_key::limits::{MemoryLimiter, Plans};
use tower_api_key::profile::{
    Dialect, LimitField, LimitHeaders, LimitValue, PrincipalHeader, PrincipalValue,
};
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::rules::{Otherwise, Route, Routes};
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, Profile};

use crate::support::{PROFILE, greeting, request, send, store};

const MINUTE: Duration = Duration::from_secs(60);
const LEFT: LimitHeaders<'static> = LimitHeaders {
    fields: &[LimitField::new("x-left-{quota}", LimitValue::Remaining)],
    ..LimitHeaders::NONE
};

fn builder(
    profile: Profile<'_>,
    change: fn(KeyRecordBuilder) -> KeyRecordBuilder,
) -> ApiKeyLayerBuilder {
    ApiKeyLayer::builder(profile, store(change))
        .limits(MemoryLimiter::new(), OnLimiterFailure::Deny)
}

fn complaint(builder: ApiKeyLayerBuilder) -> Option<String> {
    builder.build().err().map(|error| error.to_string())
}

fn of_names(dialect: Dialect, names: &[&str]) -> Option<String> {
    let fields: Vec<LimitField<'_>> =
        names.iter().map(|name| LimitField::new(name, LimitValue::Limit)).collect();
    let limit_headers = LimitHeaders { fields: &fields, dialect, ..LimitHeaders::RATE_LIMIT };
    complaint(builder(Profile { limit_headers, ..PROFILE }, |key| key))
}

/// The order in which a profile lists its headers decides nothing.
#[test]
fn names_that_can_meet_are_refused_in_any_order() {
    use Dialect::{None, RateLimit, Structured, XRateLimit};
    for (dialect, names, meet) in [
        (None, ["x-ratelimit-reset", "x-ratelimit-{quota}"], true),
        (None, ["x-a-{quota}", "x-{quota}"], true),
        (None, ["x-{quota}-a", "x-{quota}"], true),
        (None, ["x-{quota}-left", "x-a-{quota}-left"], true),
        (None, ["x-{quota}-left", "x-a-{quota}"], true),
        (None, ["x-{quota}", "X-{quota}"], true),
        (None, ["x-a", "x-A"], true),
        (None, ["x-left-{quota}", "x-left-"], false),
        (None, ["x-left-{quota}", "x-left"], false),
        (None, ["x-left-{quota}", "x-reset-{quota}"], false),
        (None, ["x-{quota}-left", "x-{quota}-reset"], false),
        (None, ["x-{quota}-left", "x-left"], false),
        (XRateLimit, ["x-ratelimit-{quota}", "x-other"], true),
        (XRateLimit, ["x-{quota}-reset", "x-other"], true),
        (XRateLimit, ["x-ratelimit-limit-{quota}", "x-other"], false),
        (RateLimit, ["ratelimit-{quota}", "x-other"], true),
        (RateLimit, ["x-ratelimit-{quota}", "x-other"], false),
        (Structured, ["ratelimit-{quota}", "x-other"], true),
        (Structured, ["ratelimit-limit", "x-other"], false),
    ] {
        for names in [names, [names[1], names[0]]] {
            let found = of_names(dialect, &names);
            assert_eq!(found.is_some(), meet, "{dialect:?} {names:?}: {found:?}");
            assert!(found.is_none_or(|found| found.contains("limit_headers.fields")));
        }
    }
}

#[test]
fn names_that_http_or_the_gate_uses_are_refused() {
    for name in [
        "set-cookie",
        "location",
        "date",
        "etag",
        "age",
        "expires",
        "last-modified",
        "pragma",
        "via",
        "vary",
        "cache-control",
        "cdn-cache-control",
        "surrogate-control",
        "x-accel-expires",
        "content-type",
        "content-length",
        "content-encoding",
        "content-range",
        "content-anything",
        "content-security-policy",
        "access-control-allow-origin",
        "access-control-expose-headers",
        "transfer-encoding",
        "keep-alive",
        "connection",
        "trailer",
        "upgrade",
        "http2-settings",
        "www-authenticate",
        "proxy-authenticate",
        "authorization",
        "authentication-info",
        "strict-transport-security",
        "server",
        "link",
        "alt-svc",
        "x-frame-options",
        "x-content-type-options",
        "sec-websocket-protocol",
        "grpc-status",
        "x-anything-bin",
        "content-{quota}",
        "access-control-{quota}",
        "access-{quota}",
        "set-{quota}",
        "retry-{quota}",
        "cache-{quota}",
        "last-{quota}",
        "transfer-{quota}",
        "grpc-{quota}",
        "x-accel-{quota}",
        "x-frame-{quota}",
        "x-{quota}-bin",
        "x-{quota}-cache-control",
        "sec-{quota}",
        "a-{quota}-bin",
        "content-{quota}-x",
        "Content-{quota}",
        "SET-COOKIE",
    ] {
        let found = of_names(Dialect::None, &[name]).unwrap_or_else(|| panic!("{name} builds"));
        assert!(found.contains("another name"), "{name}: {found}");
        if name.contains('{') {
            continue;
        }
        let headers = [PrincipalHeader { name, value: PrincipalValue::Account }];
        let profile = Profile { principal_headers: &headers, ..PROFILE };
        let found = complaint(builder(profile, |key| key));
        assert!(found.is_some_and(|found| found.contains("another name")), "{name}");
    }
    for name in [
        "x-{quota}",
        "ratelimit-{quota}",
        "x-ratelimit-{quota}",
        "x-{quota}-left",
        "request-id",
        "contents",
        "acme-content-left",
        "x-cache-{quota}",
        "limit-{quota}-cache",
        "x-robin",
    ] {
        assert_eq!(of_names(Dialect::None, &[name]), None);
    }
}

/// Quotas that the gate knows when it is built: those of the profile, of plans and of routes.
#[test]
fn quotas_that_meet_under_one_name_are_refused_if_they_are_known() {
    let quota = |name: &str| Quota::named(name, 9, MINUTE);
    let (upper, lower, odd) = ([quota("Minute")], [quota("minute")], [quota("frame-options")]);
    let both = [quota("Minute"), quota("minute")];
    let dark = [quota("Minute"), quota("minute").in_shadow()];
    let fields = &[LimitField::new("x-{quota}", LimitValue::Remaining)];
    let short = LimitHeaders { fields, ..LimitHeaders::NONE };
    let none: &[Quota] = &[];
    for (limit_headers, quotas, plan, route, problem) in [
        (LEFT, &both[..], none, none, Some("differ only in case")),
        (LEFT, none, &both[..], none, Some("differ only in case")),
        (LEFT, none, none, &both[..], Some("differ only in case")),
        (LEFT, &upper, none, &lower, Some("differ only in case")),
        (LEFT, none, &lower, &upper, Some("differ only in case")),
        // An account is on one of the two.
        (LEFT, &upper, &lower, none, None),
        (LEFT, &upper, none, &upper, None),
        (LEFT, &dark, none, none, None),
        (LimitHeaders::STRUCTURED, &both, none, none, None),
        (short, &odd, none, none, Some("rename the quota")),
        (short, none, none, &odd, Some("rename the quota")),
        (LEFT, &odd, none, none, None),
    ] {
        let plans = Plans::new();
        plans.set("free", plan.iter().cloned()).unwrap();
        let routes = Routes::new()
            .get("/own", Route::new().quotas(route))
            .otherwise(Otherwise::Need(Route::new()));
        let build = || {
            let profile = Profile { quotas, limit_headers, ..PROFILE };
            ApiKeyLayer::builder(profile, store(|key| key))
                .plans(plans.clone())
                .routes(routes.clone())
        };
        let counted = build().limits(MemoryLimiter::new(), OnLimiterFailure::Deny);
        let found = complaint(counted);
        let case = format!("{quotas:?} {plan:?} {route:?}: {found:?}");
        match (found, problem) {
            (None, None) => {}
            (Some(found), Some(problem)) => {
                assert!(found.contains(problem) && found.contains("x-"), "{case}");
            }
            _ => panic!("{case}"),
        }
        assert_eq!(complaint(build().without_limits()), None, "no header is written");
    }
}

/// Quotas of the store are known only when a request comes. The one that is listed first has the name, even in a
/// response that says nothing of it.
#[tokio::test]
async fn of_quotas_that_only_the_store_knows_the_first_has_the_name() {
    type Change = fn(KeyRecordBuilder) -> KeyRecordBuilder;
    let first: Change =
        |key| key.quotas([Quota::new("Minute", 9, MINUTE), Quota::new("minute", 5, MINUTE)]);
    let second: Change =
        |key| key.quotas([Quota::new("minute", 5, MINUTE), Quota::new("Minute", 9, MINUTE)]);
    let dark: Change = |key| {
        key.quotas([Quota::new("MINUTE", 9, MINUTE).in_shadow(), Quota::new("minute", 5, MINUTE)])
    };
    let reserved: Change = |key| key.quotas([Quota::new("Frame-Options", 5, MINUTE)]);
    let fields = &[LimitField::new("x-{quota}", LimitValue::Remaining)];
    for (change, expected) in
        [(first, Some("8")), (second, Some("4")), (dark, Some("4")), (reserved, None)]
    {
        let limit_headers = LimitHeaders { fields, ..LimitHeaders::NONE };
        let layer = builder(Profile { limit_headers, ..PROFILE }, change).build().unwrap();
        let response = send(&greeting(&layer), request(Method::GET, "/")).await;
        let found = response.headers().get("x-minute").map(|value| value.to_str().unwrap());
        assert_eq!(found, expected);
        assert_eq!(response.headers().len(), usize::from(expected.is_some()));
    }
}
