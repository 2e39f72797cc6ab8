//! REST API Integrations: Bearer, `{"error":"…"}`, two request limits.

use std::time::Duration;

use tower_api_key::Profile;
use tower_api_key::profile::{CredentialSource, Expected, RequiredHeader};
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::vendors::REST_INTEGRATIONS as PROFILE;
use tower_api_key::vendors::rest_integrations::ROUTES;

use super::case::{Case, Lines, NOW, SERVED, Transport, UNDOCUMENTED, World};
use crate::source::Source;

pub(crate) const KEY: &str = "rk_4f8a9b2c7d3e4f1a9b0c2d3e4f5a6b7c";
const AUTHORIZATION: &str = "Bearer rk_4f8a9b2c7d3e4f1a9b0c2d3e4f5a6b7c";

const BARE: &[&str] = &[r#"Bearer realm="REST API Integrations""#];
const TOKEN: &[&str] = &[r#"Bearer realm="REST API Integrations", error="invalid_token""#];
const REQUEST: &[&str] = &[r#"Bearer realm="REST API Integrations", error="invalid_request""#];
const READ: &[&str] =
    &[r#"Bearer realm="REST API Integrations", error="insufficient_scope", scope="users.read""#];
const WRITE: &[&str] =
    &[r#"Bearer realm="REST API Integrations", error="insufficient_scope", scope="users.write""#];
const BOTH: &[&str] = &[
    r#"Bearer realm="REST API Integrations", error="insufficient_scope", scope="need.this need.that""#,
];

const HTTPS: &str = r#"{"error":"HTTPS is required."}"#;
const MALFORMED: &str = r#"{"error":"Malformed Authorization header."}"#;
const MISSING: &str = r#"{"error":"Missing API key."}"#;
const INVALID: &str = r#"{"error":"Invalid API key provided."}"#;
const FORBIDDEN: &str = r#"{"error":"You do not have permission to perform this action."}"#;
const LIMITED: &str = r#"{"error":"Rate limit exceeded."}"#;
const SLOW: &str = r#"{"error":"Request took too long."}"#;
const UNAVAILABLE: &str = r#"{"error":"Service temporarily unavailable."}"#;

const FAILED: &str = r#"{"error":"Internal server error."}"#;
const OUTAGE: Lines = &[("retry-after", "5")];
const FULL: Lines = &[("ratelimit-remaining", "100"), ("ratelimit-reset", "60")];
const ONE_LESS: Lines = &[("ratelimit-remaining", "99"), ("ratelimit-reset", "60")];

const MINUTE: Quota = Quota::new("minute", 1, Duration::from_secs(60));
const OTHER_KINDS: Profile =
    Profile { credentials: &[CredentialSource::bearer().only(&["other"])], ..PROFILE };
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
    target: "/v1/users",
    authorization: &[AUTHORIZATION],
    headers: &[],
    key: KEY,
    record: Some(|record| record.scopes(["users.read", "users.write"])),
    content_type: "application/json",
    reply: SERVED,
}
.served(ONE_LESS);

const READER: Case = GOOD.record(|record| record.scopes(["users.read"]));
const WRITER: Case = GOOD.record(|record| record.scopes(["users.write"]));

const fn malformed(name: &'static str, lines: &'static [&'static str]) -> Case {
    let case = GOOD.name(name).authorization(lines);
    case.refused("credentials_malformed", 400, MALFORMED, REQUEST)
}

const fn unscoped(case: Case, name: &'static str, method: &'static str) -> Case {
    let scope = match method.as_bytes() {
        b"GET" | b"HEAD" => READ,
        _ => WRITE,
    };
    let case = case.name(name).request(method, "/v1/users/7");
    case.refused("scope_missing", 403, FORBIDDEN, scope).with(FULL)
}

const fn plain(name: &'static str) -> Case {
    let case = GOOD.name(name).over(Transport::Plain);
    case.refused("insecure_transport", 400, HTTPS, REQUEST)
}

const fn invalid(name: &'static str, denial: &'static str) -> Case {
    GOOD.name(name).refused(denial, 401, INVALID, TOKEN)
}

const fn forbidden(name: &'static str, denial: &'static str) -> Case {
    GOOD.name(name).refused(denial, 403, FORBIDDEN, &[]).with(FULL)
}

#[rustfmt::skip] // A table reads best with a row on a line or two.
pub(crate) const CASES: &[Case] = &[
    GOOD,
    READER.name("GET with users.read"),
    WRITER.name("POST with users.write").request("POST", "/v1/users"),
    WRITER.name("PUT with users.write").request("PUT", "/v1/users/7"),
    WRITER.name("DELETE with users.write").request("DELETE", "/v1/users/7"),
    unscoped(WRITER, "GET without users.read", "GET"),
    unscoped(READER, "POST without users.write", "POST"),
    unscoped(READER, "PUT without users.write", "PUT"),
    unscoped(READER, "DELETE without users.write", "DELETE"),
    forbidden("a method that is not documented", "route_unknown").request("PATCH", "/v1/users/7"),
    // Without a credential, or with one that is none.
    GOOD.name("no Authorization").authorization(&[])
        .refused("credentials_missing", 401, MISSING, BARE),
    GOOD.name("another scheme").authorization(&["Basic YTpi"])
        .refused("scheme_unsupported", 401, MISSING, BARE),
    GOOD.name("two lines").authorization(&[AUTHORIZATION, AUTHORIZATION])
        .refused("credentials_ambiguous", 400, MALFORMED, REQUEST),
    malformed("an empty field", &[""]),
    malformed("the scheme alone", &["Bearer"]),
    malformed("a space in the token", &["Bearer rk_4f8a9b2c7d3e4f1a 9b0c2d3e4f5a6b7c"]),
    malformed("two tokens in one line", &["Bearer rk_4f8a9b2c7d3e4f1a9b0c, Bearer rk_x"]),
    malformed("a quoted token", &["Bearer \"rk_4f8a9b2c7d3e4f1a9b0c2d3e4f5a6b7c\""]),
    malformed("padding inside", &["Bearer rk_4f8a9b2c7d3e=4f1a9b0c2d3e4f5a6b7c"]),
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
    invalid("another environment", "environment_mismatch").pinned("production"),
    invalid("a kind that Bearer does not carry", "scheme_not_for_kind").profile(OTHER_KINDS),
    // What a key may not do; it takes nothing from the limits.
    forbidden("another network", "network_not_allowed")
        .record(|record| record.networks(["198.51.100.0/24"])),
    forbidden("another kind", "kind_not_allowed").at(UNDOCUMENTED, "/kind"),
    forbidden("another account", "account_mismatch").at(UNDOCUMENTED, "/accounts/globex"),
    GOOD.name("a header missing").profile(DEMANDING)
        .refused("header_refused", 400, r#"{"error":"Missing or invalid header."}"#, REQUEST)
        .with(FULL),
    GOOD.name("scopes missing").at(UNDOCUMENTED, "/scope")
        .refused("scope_missing", 403, FORBIDDEN, BOTH).with(FULL),
    READER.name("a scope that the service asks for").world(World::ServiceAsks("users.write"))
        .refused("scope_missing", 403, FORBIDDEN, WRITE).with(ONE_LESS),
    // What is too much.
    READER.name("a second request in a minute").world(World::ServedBefore)
        .record(|record| record.scopes(["users.read"]).quotas([MINUTE]))
        .refused("rate_limited", 429, LIMITED, &[])
        .with(&[("ratelimit-remaining", "0"), ("ratelimit-reset", "60"), ("retry-after", "60")]),
    GOOD.name("too many failed attempts").world(World::FailedBefore).unknown()
        .refused("too_many_failures", 429, LIMITED, &[]).with(&[("retry-after", "60")]),
    GOOD.name("a second request in flight").at(UNDOCUMENTED, "/place").world(World::InFlight)
        .refused("concurrency_exceeded", 429, LIMITED, &[])
        .with(&[("ratelimit-remaining", "99"), ("ratelimit-reset", "60"), ("retry-after", "1")]),
    GOOD.name("a slow service").at(UNDOCUMENTED, "/budget").world(World::ServiceStalls)
        .refused("timed_out", 503, SLOW, &[]).with(ONE_LESS),
    GOOD.name("a service that fails").world(World::ServiceFails)
        .refused("internal_error", 500, FAILED, &[]).with(ONE_LESS),
    // Outages.
    GOOD.name("a store that fails").world(World::StoreFails)
        .refused("store_unavailable", 503, UNAVAILABLE, &[]).with(OUTAGE),
    GOOD.name("a store that fails later").world(World::StoreFailsLater)
        .refused("store_unavailable", 503, UNAVAILABLE, &[]).with(OUTAGE),
    GOOD.name("a limiter that fails").world(World::LimiterFails(OnLimiterFailure::Deny))
        .refused("limiter_unavailable", 503, UNAVAILABLE, &[]).with(OUTAGE),
    GOOD.name("a limiter that fails later").world(World::LimiterFailsLater(OnLimiterFailure::Deny))
        .refused("limiter_unavailable", 503, UNAVAILABLE, &[]).with(OUTAGE),
    GOOD.name("a limiter that may fail").world(World::LimiterFails(OnLimiterFailure::Allow))
        .served(&[]),
    GOOD.name("a limiter that fails while a 403 is said").request("PATCH", "/v1/users")
        .world(World::LimiterFails(OnLimiterFailure::Deny))
        .refused("route_unknown", 403, FORBIDDEN, &[]),
];
