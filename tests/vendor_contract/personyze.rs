//! Personyze: Basic with the user name `api`, plain text.

use std::time::Duration;

use tower_api_key::Profile;
use tower_api_key::profile::{BasicKey, CredentialSource, Expected, RequiredHeader};
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::vendors::PERSONYZE as PROFILE;
use tower_api_key::vendors::personyze::ROUTES;

use super::case::{Case, NOW, SERVED, Transport, UNDOCUMENTED, World};
use crate::source::Source;

pub(crate) const KEY: &str = "FD09908F25BECB09D78EBEA1DADFB618651F612D";
const AUTHORIZATION: &str = "Basic YXBpOkZEMDk5MDhGMjVCRUNCMDlENzhFQkVBMURBREZCNjE4NjUxRjYxMkQ=";
const REALM: &[&str] = &[r#"Basic realm="Personyze", charset="UTF-8""#];

const LOG_IN: &str = "Please, log in";
const UNKNOWN: &str = "Unknown API key";
const DENIED: &str = "Access denied";
const HTTPS: &str = "HTTPS is required";
const UNAVAILABLE: &str = "Service unavailable";
const OUTAGE: super::case::Lines = &[("retry-after", "5")];

const MINUTE: Quota = Quota::new("minute", 1, Duration::from_secs(60));
const OTHER_KINDS: Profile = Profile {
    credentials: &[CredentialSource::basic(BasicKey::PasswordOf("api")).only(&["other"])],
    ..PROFILE
};
const DEMANDING: Profile = Profile {
    required_headers: &[RequiredHeader { name: "x-needed", expected: Expected::Present }],
    ..PROFILE
};

/// A request that is served.
pub(crate) const GOOD: Case = Case {
    name: "a key that serves",
    profile: PROFILE,
    source: Source::Constant,
    routes: ROUTES,
    environment: None,
    world: World::Sound,
    transport: Transport::Tls,
    method: "GET",
    target: "/rest/users",
    authorization: &[AUTHORIZATION],
    headers: &[],
    key: KEY,
    record: Some(|record| record),
    content_type: "text/plain; charset=utf-8",
    reply: SERVED,
};

/// A request whose `Authorization` does not count as one.
const fn malformed(name: &'static str, lines: &'static [&'static str]) -> Case {
    let case = GOOD.name(name).authorization(lines);
    case.refused("credentials_malformed", 401, LOG_IN, REALM)
}

/// A request with something that is no key.
const fn no_key(name: &'static str, lines: &'static [&'static str]) -> Case {
    let case = GOOD.name(name).authorization(lines);
    case.refused("key_malformed", 401, UNKNOWN, REALM)
}

const fn plain(name: &'static str) -> Case {
    let case = GOOD.name(name).over(Transport::Plain);
    case.refused("insecure_transport", 401, HTTPS, REALM)
}

#[rustfmt::skip] // A table reads best with a row on a line or two.
pub(crate) const CASES: &[Case] = &[
    GOOD,
    GOOD.name("a POST").request("POST", "/rest/users"),
    GOOD.name("the tracker").request("GET", "/rest/tracker"),
    GOOD.name("anything else").request("DELETE", "/rest/a/b"),
    GOOD.name("digits of the other case").key("fd09908f25becb09d78ebea1dadfb618651f612d")
        .authorization(&["Basic YXBpOmZkMDk5MDhmMjViZWNiMDlkNzhlYmVhMWRhZGZiNjE4NjUxZjYxMmQ="]),
    // Without a credential, or with one that is none.
    GOOD.name("no Authorization").authorization(&[])
        .refused("credentials_missing", 401, LOG_IN, REALM),
    GOOD.name("Bearer").authorization(&["Bearer FD09908F25BECB09D78EBEA1DADFB618651F612D"])
        .refused("scheme_unsupported", 401, LOG_IN, REALM),
    GOOD.name("two lines").authorization(&[AUTHORIZATION, AUTHORIZATION])
        .refused("credentials_ambiguous", 401, LOG_IN, REALM),
    malformed("an empty field", &[""]),
    malformed("the scheme alone", &["Basic"]),
    malformed("no base64", &["Basic api:FD09908F25BECB09D78EBEA1DADFB618651F612D"]),
    malformed("no colon", &["Basic RkQwOTkwOEYyNUJFQ0IwOUQ3OEVCRUExREFERkI2MTg2NTFGNjEyRA=="]),
    malformed("the user name API", &["Basic QVBJOkZEMDk5MDhGMjVCRUNCMDlENzhFQkVBMURBREZCNjE4NjUxRjYxMkQ="]),
    malformed("no user name", &["Basic OkZEMDk5MDhGMjVCRUNCMDlENzhFQkVBMURBREZCNjE4NjUxRjYxMkQ="]),
    malformed("the key as user name", &["Basic RkQwOTkwOEYyNUJFQ0IwOUQ3OEVCRUExREFERkI2MTg2NTFGNjEyRDo="]),
    malformed("another user name", &["Basic cm9vdDpGRDA5OTA4RjI1QkVDQjA5RDc4RUJFQTFEQURGQjYxODY1MUY2MTJE"]),
    malformed("no password", &["Basic YXBpOg=="]),
    malformed("a control character", &["Basic YXBpOgBGRDA5OTA4RjI1QkVDQjA5RDc4RUJFQTFEQURGQjYxODY1MUY2MTJE"]),
    malformed("not UTF-8", &["Basic YXBpOv9GRDA5OTA4RjI1QkVDQjA5RDc4RUJFQTFEQURGQjYxODY1MUY2MTJE"]),
    // Plain HTTP, "even for localhost proxies and dev environments".
    plain("plain HTTP"),
    plain("plain HTTP without a key").authorization(&[]),
    plain("plain HTTP with an unknown key").unknown(),
    plain("plain HTTP while the store fails").world(World::StoreFails),
    plain("no word on the connection").over(Transport::Unmarked),
    plain("plain HTTP for the localhost").headers(&[("host", "localhost")]),
    // Keys that do not serve.
    no_key("a word for a key", &["Basic YXBpOmhlbGxv"]),
    no_key("41 digits", &["Basic YXBpOkZEMDk5MDhGMjVCRUNCMDlENzhFQkVBMURBREZCNjE4NjUxRjYxMkQw"]),
    no_key("a second colon", &["Basic YXBpOkZEMDk5MDhGMjVCRUNCMDlENzhFQkVBMURBREZCNjE4NjUxRjYxMkQ6eA=="]),
    GOOD.name("an unknown key").unknown().refused("key_unknown", 400, "Invalid API key", &[]),
    GOOD.name("the known key in the other case")
        .authorization(&["Basic YXBpOmZkMDk5MDhmMjViZWNiMDlkNzhlYmVhMWRhZGZiNjE4NjUxZjYxMmQ="])
        .refused("key_unknown", 400, "Invalid API key", &[]),
    GOOD.name("a revoked key").record(|record| record.revoked(true))
        .refused("key_revoked", 401, UNKNOWN, REALM),
    GOOD.name("a disabled key").record(|record| record.disabled(true))
        .refused("key_disabled", 401, UNKNOWN, REALM),
    GOOD.name("an early key").record(|record| record.not_before(NOW.plus(Duration::from_nanos(1))))
        .refused("key_not_yet_valid", 401, UNKNOWN, REALM),
    GOOD.name("an expired key").record(|record| record.expires(NOW))
        .refused("key_expired", 401, UNKNOWN, REALM),
    GOOD.name("another environment").pinned("production")
        .refused("environment_mismatch", 401, UNKNOWN, REALM),
    GOOD.name("a kind that Basic does not carry").profile(OTHER_KINDS)
        .refused("scheme_not_for_kind", 401, UNKNOWN, REALM),
    GOOD.name("another account").at(UNDOCUMENTED, "/accounts/globex")
        .refused("account_mismatch", 401, UNKNOWN, REALM),
    GOOD.name("the own account").at(UNDOCUMENTED, "/accounts/acme"),
    // What a key may not do.
    GOOD.name("another network").record(|record| record.networks(["198.51.100.0/24"]))
        .refused("network_not_allowed", 403, DENIED, &[]),
    GOOD.name("no route").request("GET", "/other").refused("route_unknown", 403, DENIED, &[]),
    GOOD.name("another kind").at(UNDOCUMENTED, "/kind")
        .refused("kind_not_allowed", 403, DENIED, &[]),
    GOOD.name("a header missing").profile(DEMANDING)
        .refused("header_refused", 400, "Invalid header", &[]),
    GOOD.name("scopes missing").at(UNDOCUMENTED, "/scope")
        .refused("scope_missing", 403, DENIED, &[]),
    GOOD.name("a scope that the service asks for").world(World::ServiceAsks("need.this"))
        .refused("scope_missing", 403, DENIED, &[]),
    // What is too much.
    GOOD.name("a second request in a minute").world(World::ServedBefore)
        .record(|record| record.quotas([MINUTE]))
        .refused("rate_limited", 429, "Too many requests", &[]).with(&[("retry-after", "60")]),
    GOOD.name("too many failed attempts").world(World::FailedBefore).unknown()
        .refused("too_many_failures", 429, "Too many requests", &[]).with(&[("retry-after", "60")]),
    GOOD.name("a second insert in flight").request("POST", "/rest/users").world(World::InFlight)
        .refused("concurrency_exceeded", 400, "Too many simultaneous requests", &[]),
    GOOD.name("a second request in flight").world(World::InFlight),
    GOOD.name("a slow tracker").request("POST", "/rest/tracker").world(World::ServiceStalls)
        .refused("timed_out", 503, "Request took too long", &[]),
    GOOD.name("a service that fails").world(World::ServiceFails)
        .refused("internal_error", 500, "Internal server error", &[]),
    // Outages.
    GOOD.name("a store that fails").world(World::StoreFails)
        .refused("store_unavailable", 503, UNAVAILABLE, &[]).with(OUTAGE),
    GOOD.name("a store that fails later").world(World::StoreFailsLater)
        .refused("store_unavailable", 503, UNAVAILABLE, &[]).with(OUTAGE),
    GOOD.name("a limiter that fails").world(World::LimiterFails(OnLimiterFailure::Deny))
        .record(|record| record.quotas([MINUTE]))
        .refused("limiter_unavailable", 503, UNAVAILABLE, &[]).with(OUTAGE),
    GOOD.name("a limiter that fails later").world(World::LimiterFailsLater(OnLimiterFailure::Deny))
        .record(|record| record.quotas([MINUTE]))
        .refused("limiter_unavailable", 503, UNAVAILABLE, &[]).with(OUTAGE),
    GOOD.name("a limiter that may fail").world(World::LimiterFails(OnLimiterFailure::Allow))
        .record(|record| record.quotas([MINUTE])),
];
