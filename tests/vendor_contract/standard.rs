//! The standard profile: Bearer or `X-Api-Key`, problem details, the limit fields of the draft.

use std::time::Duration;

use tower_api_key::Profile;
use tower_api_key::profile::{CredentialSource, Expected, RequiredHeader};
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::rules::{Route, RouteRow};

use super::case::{Case, Lines, NOW, SERVED, Transport, UNDOCUMENTED, World};
use crate::source::Source;

const PROFILE: Profile = Profile::STANDARD;
const KEY: &str = "key_live_4f8a9b2c7d3e4f1a9b0c2d3e4Zspd5";
const BEARER: &[&str] = &["Bearer key_live_4f8a9b2c7d3e4f1a9b0c2d3e4Zspd5"];
const OWN: Lines = &[("x-api-key", KEY)];
const ROUTES: &[RouteRow] = &[RouteRow { methods: &[], path: "/users", route: Route::new() }];

const X_API_KEY: &str = r#"ApiKey realm="api", header="x-api-key""#;
const BARE: &[&str] = &[r#"Bearer realm="api""#, X_API_KEY];
const TOKEN: &[&str] = &[r#"Bearer realm="api", error="invalid_token""#, X_API_KEY];
const REQUEST: &[&str] = &[r#"Bearer realm="api", error="invalid_request""#];
const SCOPES: &[&str] =
    &[r#"Bearer realm="api", error="insufficient_scope", scope="need.this need.that""#];
const SCOPE: &[&str] = &[r#"Bearer realm="api", error="insufficient_scope", scope="need.this""#];

const HTTPS: &str =
    r#"{"type":"about:blank","title":"Bad Request","status":400,"detail":"HTTPS is required."}"#;
const MALFORMED: &str = r#"{"type":"about:blank","title":"Bad Request","status":400,"detail":"Send exactly one API key."}"#;
const HEADER: &str = r#"{"type":"about:blank","title":"Bad Request","status":400,"detail":"A required header is missing or not valid."}"#;
const MISSING: &str = r#"{"type":"about:blank","title":"Unauthorized","status":401,"detail":"An API key is required."}"#;
const INVALID: &str = r#"{"type":"about:blank","title":"Unauthorized","status":401,"detail":"The API key is not valid."}"#;
const FORBIDDEN: &str = r#"{"type":"about:blank","title":"Forbidden","status":403,"detail":"The API key does not allow this request."}"#;
const LIMITED: &str = r#"{"type":"about:blank","title":"Too Many Requests","status":429,"detail":"Try again later."}"#;
const EXCEEDED: &str = r#"{"type":"https://iana.org/assignments/http-problem-types#quota-exceeded","title":"Quota Exceeded","status":429,"detail":"Try again later.","violated-policies":["minute"]}"#;
const FAILED: &str = r#"{"type":"about:blank","title":"Internal Server Error","status":500,"detail":"The service failed."}"#;
const SLOW: &str = r#"{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"The request took too long."}"#;
const UNAVAILABLE: &str = r#"{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"The service cannot answer now."}"#;
const OUTAGE: Lines = &[("retry-after", "5")];
const USED: Lines = &[
    ("ratelimit-policy", r#""minute";q=1;w=60"#),
    ("ratelimit", r#""minute";r=0;t=60"#),
    ("retry-after", "60"),
];

const MINUTE: Quota = Quota::new("minute", 1, Duration::from_secs(60));
const OTHER_KINDS: Profile = Profile {
    credentials: &[
        CredentialSource::bearer().only(&["other"]),
        CredentialSource::header("x-api-key"),
    ],
    ..PROFILE
};
const DEMANDING: Profile = Profile {
    required_headers: &[RequiredHeader { name: "x-needed", expected: Expected::Present }],
    ..PROFILE
};

const GOOD: Case = Case {
    name: "a key that serves",
    profile: PROFILE,
    source: Source::Constant,
    routes: ROUTES,
    environment: None,
    world: World::Sound,
    transport: Transport::Tls,
    method: "GET",
    target: "/users",
    authorization: BEARER,
    headers: &[],
    key: KEY,
    record: Some(|record| record.environment("live")),
    content_type: "application/problem+json",
    reply: SERVED,
}
.served(&[]);

const LIMITED_KEY: Case = GOOD.record(|record| record.environment("live").quotas([MINUTE]));

const fn invalid(name: &'static str, denial: &'static str) -> Case {
    GOOD.name(name).refused(denial, 401, INVALID, TOKEN)
}

const fn forbidden(name: &'static str, denial: &'static str) -> Case {
    GOOD.name(name).refused(denial, 403, FORBIDDEN, &[])
}

const fn malformed(name: &'static str, lines: &'static [&'static str]) -> Case {
    let case = GOOD.name(name).authorization(lines);
    case.refused("credentials_malformed", 400, MALFORMED, REQUEST)
}

#[rustfmt::skip] // A table reads best with a row on a line or two.
pub(crate) const CASES: &[Case] = &[
    GOOD,
    GOOD.name("X-Api-Key").authorization(&[]).headers(OWN)
        .served(&[("cache-control", "private"), ("vary", "x-api-key")]),
    LIMITED_KEY.name("a key with a limit")
        .served(&[("ratelimit-policy", r#""minute";q=1;w=60"#), ("ratelimit", r#""minute";r=0;t=60"#)]),
    // 400: what cannot be read.
    GOOD.name("plain HTTP").over(Transport::Plain)
        .refused("insecure_transport", 400, HTTPS, REQUEST),
    GOOD.name("both headers").headers(OWN)
        .refused("credentials_ambiguous", 400, MALFORMED, REQUEST),
    malformed("the scheme alone", &["Bearer"]),
    malformed("two keys in a line", &["Bearer key_live_a, Bearer key_live_b"]),
    GOOD.name("a header missing").profile(DEMANDING)
        .refused("header_refused", 400, HEADER, REQUEST),
    // 401: no key, or one that does not serve, whatever the cause.
    GOOD.name("no key").authorization(&[]).refused("credentials_missing", 401, MISSING, BARE),
    GOOD.name("another scheme").authorization(&["Basic YTpi"])
        .refused("scheme_unsupported", 401, MISSING, BARE),
    invalid("a mistyped key", "key_malformed")
        .authorization(&["Bearer key_live_4f8a9b2c7d3e4f1a9b0c2d3e000000"]),
    invalid("an unknown key", "key_unknown").unknown(),
    invalid("a revoked key", "key_revoked")
        .record(|record| record.environment("live").revoked(true)),
    invalid("a disabled key", "key_disabled")
        .record(|record| record.environment("live").disabled(true)),
    invalid("an early key", "key_not_yet_valid")
        .record(|record| record.environment("live").not_before(NOW.plus(Duration::from_nanos(1)))),
    invalid("an expired key", "key_expired")
        .record(|record| record.environment("live").expires(NOW)),
    invalid("a key of another environment", "environment_mismatch").pinned("test"),
    invalid("a record of another environment", "environment_mismatch")
        .record(|record| record.environment("test")),
    invalid("a kind that Bearer does not carry", "scheme_not_for_kind").profile(OTHER_KINDS),
    // 403: a key that may not do this.
    forbidden("another path", "route_unknown").request("GET", "/other"),
    forbidden("another network", "network_not_allowed")
        .record(|record| record.environment("live").networks(["198.51.100.0/24"])),
    forbidden("another kind", "kind_not_allowed").at(UNDOCUMENTED, "/kind"),
    forbidden("another account", "account_mismatch").at(UNDOCUMENTED, "/accounts/globex"),
    GOOD.name("scopes missing").at(UNDOCUMENTED, "/scope")
        .refused("scope_missing", 403, FORBIDDEN, SCOPES),
    GOOD.name("a scope that the service asks for").world(World::ServiceAsks("need.this"))
        .refused("scope_missing", 403, FORBIDDEN, SCOPE),
    // 429: what is too much.
    LIMITED_KEY.name("a second request in a minute").world(World::ServedBefore)
        .refused("rate_limited", 429, EXCEEDED, &[]).with(USED),
    GOOD.name("too many failed attempts").world(World::FailedBefore).unknown()
        .refused("too_many_failures", 429, LIMITED, &[]).with(&[("retry-after", "60")]),
    GOOD.name("a second request in flight").at(UNDOCUMENTED, "/place").world(World::InFlight)
        .refused("concurrency_exceeded", 429, LIMITED, &[]).with(&[("retry-after", "1")]),
    // 500 and 503: what is not the client's.
    GOOD.name("a slow service").at(UNDOCUMENTED, "/budget").world(World::ServiceStalls)
        .refused("timed_out", 503, SLOW, &[]),
    GOOD.name("a service that fails").world(World::ServiceFails)
        .refused("internal_error", 500, FAILED, &[]),
    GOOD.name("a store that fails").world(World::StoreFails)
        .refused("store_unavailable", 503, UNAVAILABLE, &[]).with(OUTAGE),
    LIMITED_KEY.name("a limiter that fails").world(World::LimiterFails(OnLimiterFailure::Deny))
        .refused("limiter_unavailable", 503, UNAVAILABLE, &[]).with(OUTAGE),
];
