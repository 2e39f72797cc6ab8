//! Polyteia: Bearer, one endpoint, JSON only.

use std::time::Duration;

use tower_api_key::Profile;
use tower_api_key::profile::CredentialSource;
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::vendors::POLYTEIA as PROFILE;
use tower_api_key::vendors::polyteia::ROUTES;

use super::case::{Case, Lines, NOW, SERVED, Transport, UNDOCUMENTED, World};
use crate::source::Source;

pub(crate) const KEY: &str = "pak_4f8a9b2c7d3e4f1a9b0c2d3e4f5a6b7c";
const AUTHORIZATION: &str = "Bearer pak_4f8a9b2c7d3e4f1a9b0c2d3e4f5a6b7c";
const JSON: Lines = &[("content-type", "application/json")];

const BARE: &[&str] = &[r#"Bearer realm="Polyteia""#];
const TOKEN: &[&str] = &[r#"Bearer realm="Polyteia", error="invalid_token""#];
const REQUEST: &[&str] = &[r#"Bearer realm="Polyteia", error="invalid_request""#];
const WRITE: &[&str] =
    &[r#"Bearer realm="Polyteia", error="insufficient_scope", scope="dataset.write""#];
const BOTH: &[&str] =
    &[r#"Bearer realm="Polyteia", error="insufficient_scope", scope="need.this need.that""#];

const HTTPS: &str = r#"{"error":{"code":"https_required","message":"HTTPS is required."}}"#;
const MISSING: &str =
    r#"{"error":{"code":"unauthorized","message":"Authentication is required."}}"#;
const INVALID: &str = r#"{"error":{"code":"unauthorized","message":"The access key is invalid."}}"#;
const AMBIGUOUS: &str = r#"{"error":{"code":"invalid_request","message":"More than one Authorization header was sent."}}"#;
const FORBIDDEN: &str = r#"{"error":{"code":"forbidden","message":"You do not have permission to perform this action."}}"#;
const NOT_JSON: &str = r#"{"error":{"code":"invalid_content_type","message":"Content-Type must be application/json."}}"#;
const LIMITED: &str = r#"{"error":{"code":"rate_limit_exceeded","message":"Too many requests."}}"#;
const SLOW: &str = r#"{"error":{"code":"timeout","message":"The request took too long."}}"#;
const UNAVAILABLE: &str = r#"{"error":{"code":"service_unavailable","message":"The service is temporarily unavailable."}}"#;
const FAILED: &str = r#"{"error":{"code":"internal_error","message":"Something went wrong."}}"#;
const OUTAGE: Lines = &[("retry-after", "5")];

const MINUTE: Quota = Quota::new("minute", 1, Duration::from_secs(60));
const OTHER_KINDS: Profile =
    Profile { credentials: &[CredentialSource::bearer().only(&["other"])], ..PROFILE };

/// A request that is served.
pub(crate) const GOOD: Case = Case {
    name: "a key that serves",
    profile: PROFILE,
    source: Source::Constant,
    routes: ROUTES,
    environment: None,
    world: World::Sound,
    transport: Transport::Tls,
    method: "POST",
    target: "/api",
    authorization: &[AUTHORIZATION],
    headers: JSON,
    key: KEY,
    record: Some(|record| record),
    content_type: "application/json",
    reply: SERVED,
};

const fn accepted(name: &'static str, headers: Lines) -> Case {
    GOOD.name(name).headers(headers)
}

const fn not_json(name: &'static str, headers: Lines) -> Case {
    let case = GOOD.name(name).headers(headers);
    case.refused("header_refused", 400, NOT_JSON, REQUEST)
}

const fn plain(name: &'static str) -> Case {
    let case = GOOD.name(name).over(Transport::Plain);
    case.refused("insecure_transport", 400, HTTPS, REQUEST)
}

const fn invalid(name: &'static str, denial: &'static str) -> Case {
    GOOD.name(name).refused(denial, 401, INVALID, TOKEN)
}

const fn forbidden(name: &'static str, denial: &'static str) -> Case {
    GOOD.name(name).refused(denial, 403, FORBIDDEN, &[])
}

#[rustfmt::skip] // A table reads best with a row on a line or two.
pub(crate) const CASES: &[Case] = &[
    GOOD,
    accepted("a charset", &[("content-type", "application/json; charset=utf-8")]),
    accepted("another case", &[("content-type", "Application/JSON;CHARSET=UTF-8")]),
    accepted("a GET of JSON", JSON).request("GET", "/api"),
    accepted("a DELETE of JSON", JSON).request("DELETE", "/api"),
    not_json("no content type", &[]),
    not_json("an empty content type", &[("content-type", "")]),
    not_json("a form", &[("content-type", "application/x-www-form-urlencoded")]),
    not_json("a longer type", &[("content-type", "application/json-seq")]),
    not_json("a suffix", &[("content-type", "application/problem+json")]),
    not_json("a list of types", &[("content-type", "application/json, text/plain")]),
    not_json("two types", &[("content-type", "application/json"), ("content-type", "text/plain")]),
    not_json("a GET without content type", &[]).request("GET", "/api"),
    not_json("a PUT without content type", &[]).request("PUT", "/api"),
    not_json("a DELETE without content type", &[]).request("DELETE", "/api"),
    not_json("an OPTIONS without content type", &[]).request("OPTIONS", "/api"),
    // Without a credential, or with one that is none.
    GOOD.name("no Authorization").authorization(&[])
        .refused("credentials_missing", 401, MISSING, BARE),
    GOOD.name("another scheme").authorization(&["Basic YTpi"])
        .refused("scheme_unsupported", 401, MISSING, BARE),
    GOOD.name("two lines").authorization(&[AUTHORIZATION, AUTHORIZATION])
        .refused("credentials_ambiguous", 400, AMBIGUOUS, REQUEST),
    invalid("an empty field", "credentials_malformed").authorization(&[""]),
    invalid("the scheme alone", "credentials_malformed").authorization(&["Bearer"]),
    invalid("a space in the token", "credentials_malformed")
        .authorization(&["Bearer pak_4f8a9b2c7d3e4f1a 9b0c2d3e4f5a6b7c"]),
    plain("plain HTTP"),
    plain("plain HTTP without a key").authorization(&[]),
    plain("plain HTTP while the store fails").world(World::StoreFails),
    plain("no word on the connection").over(Transport::Unmarked),
    // Keys that do not serve.
    invalid("a short text", "key_malformed").authorization(&["Bearer short"]),
    invalid("an unknown key", "key_unknown").unknown(),
    invalid("a revoked key", "key_revoked").record(|record| record.revoked(true)),
    invalid("a disabled key", "key_disabled").record(|record| record.disabled(true)),
    invalid("an early key", "key_not_yet_valid")
        .record(|record| record.not_before(NOW.plus(Duration::from_nanos(1)))),
    invalid("an expired key", "key_expired").record(|record| record.expires(NOW)),
    GOOD.name("the last instant of a key")
        .record(|record| record.not_before(NOW).expires(NOW.plus(Duration::from_nanos(1)))),
    invalid("another environment", "environment_mismatch").pinned("production"),
    invalid("a kind that Bearer does not carry", "scheme_not_for_kind").profile(OTHER_KINDS),
    // What a key may not do.
    forbidden("another network", "network_not_allowed")
        .record(|record| record.networks(["198.51.100.0/24"])),
    forbidden("no route", "route_unknown").request("POST", "/api/other"),
    forbidden("another kind", "kind_not_allowed").at(UNDOCUMENTED, "/kind"),
    forbidden("another account", "account_mismatch").at(UNDOCUMENTED, "/accounts/globex"),
    GOOD.name("scopes missing").at(UNDOCUMENTED, "/scope")
        .refused("scope_missing", 403, FORBIDDEN, BOTH),
    GOOD.name("a command without its permission").world(World::ServiceAsks("dataset.write"))
        .refused("scope_missing", 403, FORBIDDEN, WRITE),
    // What is too much.
    GOOD.name("a second request in a minute").world(World::ServedBefore)
        .record(|record| record.quotas([MINUTE]))
        .refused("rate_limited", 429, LIMITED, &[]).with(&[("retry-after", "60")]),
    GOOD.name("too many failed attempts").world(World::FailedBefore).unknown()
        .refused("too_many_failures", 429, LIMITED, &[]).with(&[("retry-after", "60")]),
    GOOD.name("a second request in flight").at(UNDOCUMENTED, "/place").world(World::InFlight)
        .refused("concurrency_exceeded", 429, LIMITED, &[]).with(&[("retry-after", "1")]),
    GOOD.name("a slow service").at(UNDOCUMENTED, "/budget").world(World::ServiceStalls)
        .refused("timed_out", 503, SLOW, &[]),
    GOOD.name("a service that fails").world(World::ServiceFails)
        .refused("internal_error", 500, FAILED, &[]),
    // Outages.
    GOOD.name("a store that fails").world(World::StoreFails)
        .refused("store_unavailable", 503, UNAVAILABLE, &[]).with(OUTAGE),
    GOOD.name("a store that fails later").world(World::StoreFailsLater)
        .refused("store_unavailable", 503, UNAVAILABLE, &[]).with(OUTAGE),
    GOOD.name("a limiter that fails").world(World::LimiterFails(OnLimiterFailure::Deny))
        .record(|record| record.quotas([MINUTE]))
        .refused("limiter_unavailable", 503, UNAVAILABLE, &[]).with(OUTAGE),
    GOOD.name("a limiter that may fail").world(World::LimiterFails(OnLimiterFailure::Allow))
        .record(|record| record.quotas([MINUTE])),
];
