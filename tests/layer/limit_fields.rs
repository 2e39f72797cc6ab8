//! Limit headers with names and forms of the vendor's own.

use std::time::Duration;

use http::{HeaderMap, Method, Response};
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::profile::{
    Dialect, LimitField, LimitHeaders, LimitValue, PrincipalHeader, PrincipalValue, Reset,
};
use tower_api_key::quota::{OnLimiterFailure, Per, Quota};
use tower_api_key::rules::{Otherwise, Route, Routes};
use tower_api_key::{ApiKeyLayer, Profile};

use crate::support::{PROFILE, request, store};

const QUOTAS: &[Quota] = &[
    Quota::new("requests", 60, Duration::from_secs(360)),
    Quota::new("tokens", 1_000, Duration::from_millis(172_800)).with_per(Per::Key),
];
const SHADOW: &[Quota] = &[Quota::new("dark", 9, Duration::from_secs(60)).in_shadow()];
const OWN: &[Quota] = &[Quota::new("requests", 10, Duration::from_secs(30))];

/// Returns the headers of the first response, with which of them the service has set.
async fn headers(limit_headers: LimitHeaders<'_>, path: &str, set: &[&str]) -> HeaderMap {
    let profile = Profile { quotas: QUOTAS, limit_headers, ..PROFILE };
    let routes = Routes::new()
        .get("/own", Route::new().quotas(OWN))
        .get("/dark", Route::new().quotas(SHADOW))
        .otherwise(Otherwise::Need(Route::new()));
    let layer = ApiKeyLayer::builder(profile, store(|key| key))
        .limits(MemoryLimiter::new(), OnLimiterFailure::Deny)
        .clock(ManualClock::starting_at(Timestamp::from_unix_seconds(1_800_000_000)))
        .routes(routes)
        .build()
        .unwrap();
    let set: Vec<http::HeaderName> = set.iter().map(|name| name.parse().unwrap()).collect();
    let service = layer.layer(service_fn(move |_| {
        let mut response = Response::new(String::new());
        for name in &set {
            response.headers_mut().insert(name, "service".parse().unwrap());
        }
        async { Ok::<_, std::convert::Infallible>(response) }
    }));
    let response = service.oneshot(request(Method::GET, path)).await.unwrap();
    assert_eq!(response.status(), 200);
    response.into_parts().0.headers
}

fn listed(headers: &HeaderMap) -> Vec<String> {
    let line = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        format!("{name}: {}", value.to_str().unwrap())
    };
    let mut lines: Vec<String> = headers.iter().map(line).collect();
    lines.sort();
    lines
}

const fn field(name: &str, value: LimitValue) -> LimitField<'_> {
    LimitField::new(name, value)
}

#[tokio::test]
async fn a_vendor_names_its_headers() {
    use LimitValue::{
        Limit, QuotaName, Remaining, ResetDuration, ResetSeconds, ResetTimestamp, ResetUnixTime,
        Used, Window,
    };
    for (fields, expected) in [
        (&[][..], &[][..]),
        // GitHub
        (
            &[
                field("X-RateLimit-Limit", Limit),
                field("X-RateLimit-Remaining", Remaining),
                field("X-RateLimit-Used", Used),
                field("X-RateLimit-Reset", ResetUnixTime),
                field("X-RateLimit-Resource", QuotaName),
            ],
            &[
                "x-ratelimit-limit: 60",
                "x-ratelimit-remaining: 59",
                "x-ratelimit-reset: 1800000360",
                "x-ratelimit-resource: requests",
                "x-ratelimit-used: 1",
            ],
        ),
        // OpenAI
        (
            &[
                field("x-ratelimit-limit-{quota}", Limit),
                field("x-ratelimit-remaining-{quota}", Remaining),
                field("x-ratelimit-reset-{quota}", ResetDuration).decimals(3),
            ],
            &[
                "x-ratelimit-limit-requests: 60",
                "x-ratelimit-limit-tokens: 1000",
                "x-ratelimit-remaining-requests: 59",
                "x-ratelimit-remaining-tokens: 999",
                "x-ratelimit-reset-requests: 6m0s",
                "x-ratelimit-reset-tokens: 2m52.8s",
            ],
        ),
        // Anthropic
        (
            &[field("anthropic-ratelimit-{quota}-reset", ResetTimestamp)],
            &[
                "anthropic-ratelimit-requests-reset: 2027-01-15T08:06:00Z",
                "anthropic-ratelimit-tokens-reset: 2027-01-15T08:02:53Z",
            ],
        ),
        // Freshdesk and Mailgun, with decimals
        (
            &[
                field("x-ratelimit-total", Limit).decimals(1),
                field("x-ratelimit-remaining", Remaining).decimals(1),
                field("x-ratelimit-reset", ResetUnixTime).decimals(2),
            ],
            &[
                "x-ratelimit-remaining: 59.0",
                "x-ratelimit-reset: 1800000360.00",
                "x-ratelimit-total: 60.0",
            ],
        ),
        // Datadog, of one quota
        (
            &[
                field("x-ratelimit-name", QuotaName).of_quota("tokens"),
                field("x-ratelimit-period", Window).of_quota("tokens"),
                field("x-ratelimit-reset", ResetSeconds).of_quota("tokens"),
                field("x-ratelimit-precise", ResetSeconds).of_quota("tokens").decimals(1),
                field("x-ratelimit-none", ResetSeconds).of_quota("other"),
            ],
            &[
                "x-ratelimit-name: tokens",
                "x-ratelimit-period: 173",
                "x-ratelimit-precise: 172.8",
                "x-ratelimit-reset: 173",
            ],
        ),
    ] {
        let found = headers(LimitHeaders { fields, ..LimitHeaders::NONE }, "/", &[]).await;
        assert_eq!(listed(&found), expected, "{fields:?}");
    }
}

#[tokio::test]
async fn of_two_quotas_of_one_name_the_nearest_is_described_and_none_in_shadow() {
    let fields = &[
        field("x-each-{quota}", LimitValue::Limit),
        field("x-one", LimitValue::Limit).of_quota("requests"),
        field("x-dark", LimitValue::Limit).of_quota("dark"),
    ];
    let own = LimitHeaders { fields, ..LimitHeaders::NONE };
    let found = headers(own, "/own", &[]).await;
    assert_eq!(listed(&found), ["x-each-requests: 10", "x-each-tokens: 1000", "x-one: 10"]);
    let found = headers(own, "/dark", &[]).await;
    assert_eq!(listed(&found), ["x-each-requests: 60", "x-each-tokens: 1000", "x-one: 60"]);
}

#[tokio::test]
async fn the_services_own_give_way() {
    let fields =
        &[field("x-used", LimitValue::Used), field("x-left-{quota}", LimitValue::Remaining)];
    let own = LimitHeaders { fields, ..LimitHeaders::RATE_LIMIT };
    let set = ["x-used", "x-left-tokens", "x-left-other", "ratelimit-limit"];
    assert_eq!(
        listed(&headers(own, "/", &set).await),
        [
            "ratelimit-limit: 60",
            "ratelimit-remaining: 59",
            "ratelimit-reset: 360",
            "x-left-other: service",
            "x-left-requests: 59",
            "x-left-tokens: 999",
            "x-used: 1"
        ]
    );
}

/// draft-11 §3 and §4, with `qu` and `pk`, beside a triple.
#[tokio::test]
async fn structured_fields_stand_beside_a_triple() {
    let both = LimitHeaders {
        fields: LimitField::X_RATE_LIMIT,
        unit: Some("requests"),
        partition_keys: true,
        ..LimitHeaders::STRUCTURED
    };
    let policy = r#"ratelimit-policy: "requests";q=60;qu="requests";w=360;pk=:YWNtZQ==:, "tokens";q=1000;qu="requests";w=173;pk=:a2V5XzE=:"#;
    let limits =
        r#"ratelimit: "requests";r=59;t=360;pk=:YWNtZQ==:, "tokens";r=999;t=173;pk=:a2V5XzE=:"#;
    assert_eq!(
        listed(&headers(both, "/", &[]).await),
        [
            policy,
            limits,
            "x-ratelimit-limit: 60",
            "x-ratelimit-remaining: 59",
            "x-ratelimit-reset: 360"
        ]
    );
}

#[tokio::test]
async fn refusals_have_them_too_and_a_quota_with_an_odd_name_has_none() {
    let odd = Quota::new("a:b/c", 1, Duration::from_secs(60));
    let fields = &[
        field("x-left-{quota}", LimitValue::Remaining),
        field("x-left", LimitValue::Remaining).of_quota("a:b/c"),
    ];
    let limit_headers = LimitHeaders { fields, ..LimitHeaders::NONE };
    let quotas = [odd, Quota::new("Fine", 5, Duration::from_secs(60))];
    let profile = Profile { quotas: &quotas, limit_headers, ..PROFILE };
    let layer = ApiKeyLayer::builder(profile, store(|key| key))
        .limits(MemoryLimiter::new(), OnLimiterFailure::Deny)
        .build()
        .unwrap();
    let service = crate::support::greeting(&layer);
    for (status, fine) in [(200, "4"), (429, "4")] {
        let response = crate::support::send(&service, request(Method::GET, "/")).await;
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["x-left"], "0");
        assert_eq!(response.headers()["x-left-fine"], fine);
        let left = response.headers().keys().filter(|name| name.as_str().starts_with("x-left"));
        assert_eq!(left.count(), 2);
    }
}

fn complaint(
    limit_headers: LimitHeaders<'_>,
    principal_headers: &[PrincipalHeader<'_>],
) -> Option<String> {
    let profile = Profile { limit_headers, principal_headers, ..PROFILE };
    let built = ApiKeyLayer::builder(profile, store(|key| key)).build();
    built.err().map(|error| error.to_string())
}

#[test]
fn contradictions_are_found_when_the_gate_is_built() {
    use LimitValue::{Limit, ResetDuration, Used};
    const OWNER: &[PrincipalHeader] =
        &[PrincipalHeader { name: "x-left-owner", value: PrincipalValue::Account }];
    for (fields, dialect, problem) in [
        (&[field("a b", Limit)][..], Dialect::None, "a header name"),
        (&[field("", Limit)], Dialect::None, "a header name"),
        (&[field("Retry-After", Limit)], Dialect::None, "another name"),
        (&[field("content-length", Limit)], Dialect::None, "another name"),
        (&[field("x-a", Limit), field("X-A", Used)], Dialect::None, "another limit header"),
        (&[field("ratelimit-limit", Limit)], Dialect::RateLimit, "another limit header"),
        (&[field("RateLimit", Limit)], Dialect::Structured, "another limit header"),
        (
            &[field("x-{quota}", Limit), field("x-quota", Used)],
            Dialect::None,
            "another limit header",
        ),
        (&[field("{quota}", Limit)], Dialect::None, "must end in `-`"),
        (&[field("x{quota}", Limit)], Dialect::None, "must end in `-`"),
        (&[field("x-{quota}-{quota}", Limit)], Dialect::None, "a header name"),
        (&[field("x-{quota}", Limit).of_quota("a")], Dialect::None, "of_quota"),
        (&[field("x-a", Limit).of_quota("a b")], Dialect::None, "of_quota"),
        (&[field("x-a", Limit).decimals(10)], Dialect::None, "decimal places"),
        (&[field("x-a", ResetDuration).decimals(4)], Dialect::None, "decimal places"),
    ] {
        let found = complaint(LimitHeaders { fields, dialect, ..LimitHeaders::RATE_LIMIT }, &[]);
        let found = found.unwrap_or_else(|| panic!("{fields:?} builds"));
        assert!(found.contains("limit_headers.fields") && found.contains(problem), "{found}");
    }
    let each = &[field("x-left-{quota}", Used)];
    let each = LimitHeaders { fields: each, ..LimitHeaders::NONE };
    assert!(complaint(each, OWNER).unwrap().contains("limit_headers"));
    assert!(complaint(each, &[]).is_none());
    for (limit_headers, field) in [
        (LimitHeaders { unit: Some("requests"), ..LimitHeaders::RATE_LIMIT }, "unit"),
        (LimitHeaders { unit: Some("a\"b"), ..LimitHeaders::STRUCTURED }, "unit"),
        (LimitHeaders { unit: Some(""), ..LimitHeaders::STRUCTURED }, "unit"),
        (LimitHeaders { partition_keys: true, ..LimitHeaders::NONE }, "partition_keys"),
    ] {
        assert!(complaint(limit_headers, &[]).unwrap().contains(field), "{limit_headers:?}");
    }
    // A part of the dialect that is not sent leaves its name free.
    let fields = &[field("ratelimit-reset", ResetDuration)];
    let free = LimitHeaders { reset: Reset::Omitted, fields, ..LimitHeaders::RATE_LIMIT };
    assert!(complaint(free, &[]).is_none());
}
