//! Persona: Bearer, environments, permissions and networks per key, a leaky bucket.

use std::time::Duration;

use tower_api_key::Profile;
use tower_api_key::profile::{CredentialSource, Expected, RequiredHeader};
use tower_api_key::quota::{Algorithm, OnLimiterFailure, Quota};
use tower_api_key::vendors::PERSONA as PROFILE;
use tower_api_key::vendors::persona::{DEFAULT_PERMISSIONS, ROUTES};

use super::case::{Case, Lines, NOW, SERVED, Transport, UNDOCUMENTED, World};
use crate::source::Source;

pub(crate) const KEY: &str = "persona_sandbox_4f8a9b2c7d3e4f1a9b0c2d3e";
const AUTHORIZATION: &str = "Bearer persona_sandbox_4f8a9b2c7d3e4f1a9b0c2d3e";

const BARE: &[&str] = &[r#"Bearer realm="Persona""#];
const TOKEN: &[&str] = &[r#"Bearer realm="Persona", error="invalid_token""#];
const REQUEST: &[&str] = &[r#"Bearer realm="Persona", error="invalid_request""#];
const KEYS: &[&str] =
    &[r#"Bearer realm="Persona", error="insufficient_scope", scope="api_key.read""#];
const BOTH: &[&str] =
    &[r#"Bearer realm="Persona", error="insufficient_scope", scope="need.this need.that""#];

const HTTPS: &str = r#"{"errors":[{"title":"Bad request","details":"HTTPS is required."}]}"#;
const AMBIGUOUS: &str = r#"{"errors":[{"title":"Bad request","details":"More than one Authorization header was sent."}]}"#;
const NO_HEADER: &str =
    r#"{"errors":[{"title":"Bad request","details":"A required header is missing or invalid."}]}"#;
const MISSING: &str =
    r#"{"errors":[{"title":"Unauthorized","details":"An API key is required."}]}"#;
const INVALID: &str =
    r#"{"errors":[{"title":"Unauthorized","details":"The API key is invalid."}]}"#;
const FORBIDDEN: &str = r#"{"errors":[{"title":"Forbidden","details":"The API key does not have permission to perform this action."}]}"#;
const NETWORK: &str = r#"{"errors":[{"title":"Forbidden","details":"The API key may not be used from this IP address."}]}"#;
const LIMITED: &str =
    r#"{"errors":[{"title":"Too many requests","details":"The rate limit was exceeded."}]}"#;
const SLOW: &str =
    r#"{"errors":[{"title":"Service unavailable","details":"The request took too long."}]}"#;
const UNAVAILABLE: &str = r#"{"errors":[{"title":"Service unavailable","details":"The service is temporarily unavailable."}]}"#;
const FAILED: &str =
    r#"{"errors":[{"title":"Internal server error","details":"Something went wrong."}]}"#;
const OUTAGE: Lines = &[("retry-after", "5")];

/// Writes the headers of an authenticated response.
macro_rules! trail {
    ($environment:literal $(, $name:literal: $value:literal)*) => {
        &[
            ("request-id", "req_…"),
            ("persona-environment-id", $environment),
            ("persona-organization-id", "acme"),
            $(($name, $value),)*
        ]
    };
}
#[rustfmt::skip]
const FULL: Lines = trail!("sandbox", "ratelimit-limit": "300", "ratelimit-remaining": "300", "ratelimit-reset": "0");
const ONE_LESS: Lines = trail!("sandbox", "ratelimit-limit": "300", "ratelimit-remaining": "299", "ratelimit-reset": "1");
const PRODUCTION: Lines = trail!("production", "ratelimit-limit": "300", "ratelimit-remaining": "299", "ratelimit-reset": "1");
const EMPTY: Lines = trail!("sandbox", "ratelimit-limit": "1", "ratelimit-remaining": "0", "ratelimit-reset": "60", "retry-after": "60");
const BUSY: Lines = trail!("sandbox", "ratelimit-limit": "300", "ratelimit-remaining": "299", "ratelimit-reset": "1", "retry-after": "1");

const MINUTE: Quota =
    Quota::new("minute", 1, Duration::from_secs(60)).with_algorithm(Algorithm::LeakyBucket);
const OTHER_KINDS: Profile =
    Profile { credentials: &[CredentialSource::bearer().only(&["other"])], ..PROFILE };
const DEMANDING: Profile = Profile {
    required_headers: &[RequiredHeader { name: "x-needed", expected: Expected::Present }],
    ..PROFILE
};

/// A request that is served: a new key of the sandbox reads inquiries.
pub(crate) const GOOD: Case = Case {
    name: "a key that serves",
    profile: PROFILE,
    source: Source::Constant,
    routes: ROUTES,
    environment: None,
    world: World::Sound,
    transport: Transport::Tls,
    method: "GET",
    target: "/api/v1/inquiries",
    authorization: &[AUTHORIZATION],
    headers: &[],
    key: KEY,
    record: Some(|record| {
        record.environment("sandbox").scopes(DEFAULT_PERMISSIONS.iter().copied())
    }),
    content_type: "application/json",
    reply: SERVED,
}
.served(ONE_LESS);

const PRODUCT: Case = GOOD
    .key("persona_production_4f8a9b2c7d3e4f1a9b0c2d3e")
    .authorization(&["Bearer persona_production_4f8a9b2c7d3e4f1a9b0c2d3e"])
    .record(|record| record.environment("production").scopes(["inquiry.read"]))
    .served(PRODUCTION);

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

const fn no_key(name: &'static str, lines: &'static [&'static str]) -> Case {
    invalid(name, "key_malformed").authorization(lines)
}

#[rustfmt::skip] // A table reads best with a row on a line or two.
pub(crate) const CASES: &[Case] = &[
    GOOD,
    GOOD.name("a new key writes reports").request("POST", "/api/v1/reports"),
    GOOD.name("the rate limit needs no permission").request("GET", "/api/v1/rate-limits"),
    PRODUCT.name("a key of production, on the same host"),
    PRODUCT.name("a gate pinned to production").pinned("production"),
    GOOD.name("a gate pinned to the sandbox").pinned("sandbox"),
    GOOD.name("a permission that is not documented")
        .record(|record| record.environment("sandbox").scopes(["graph.read", "inquiry.read"])),
    GOOD.name("the network of the key").record(|record| {
        let record = record.environment("sandbox").scopes(["inquiry.read"]);
        record.networks(["198.51.100.0/24", "192.0.2.1"])
    }),
    GOOD.name("an empty allowlist").record(|record| {
        let record = record.environment("sandbox").scopes(["inquiry.read"]);
        record.any_network()
    }),
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
        .authorization(&["Bearer persona_sandbox_4f8a9b2c 7d3e4f1a9b0c2d3e"]),
    plain("plain HTTP"),
    plain("plain HTTP without a key").authorization(&[]),
    plain("plain HTTP while the store fails").world(World::StoreFails),
    plain("no word on the connection").over(Transport::Unmarked),
    // Keys that do not serve.
    no_key("no prefix", &["Bearer 4f8a9b2c7d3e4f1a9b0c2d3e4f8a9b2c7d3e4f1a"]),
    no_key("another environment's prefix", &["Bearer persona_staging_4f8a9b2c7d3e4f1a9b0c2d3e"]),
    no_key("a prefix alone", &["Bearer persona_sandbox_"]),
    invalid("an unknown key", "key_unknown").unknown(),
    invalid("a revoked key", "key_revoked").record(|record| record.revoked(true)),
    invalid("a disabled key", "key_disabled").record(|record| record.disabled(true)),
    invalid("an early key", "key_not_yet_valid")
        .record(|record| record.not_before(NOW.plus(Duration::from_nanos(1)))),
    invalid("an expired key", "key_expired").record(|record| record.expires(NOW)),
    invalid("a sandbox key at production's gate", "environment_mismatch").pinned("production"),
    invalid("a kind that Bearer does not carry", "scheme_not_for_kind").profile(OTHER_KINDS),
    // What a key may not do; it takes nothing from the limit.
    GOOD.name("another network")
        .record(|record| record.environment("sandbox").networks(["192.0.2.2", "2001:db8::/32"]))
        .refused("network_not_allowed", 403, NETWORK, &[]).with(FULL),
    forbidden("no route", "route_unknown").request("GET", "/api/v1/other"),
    forbidden("a method that is not documented", "route_unknown")
        .request("DELETE", "/api/v1/inquiries"),
    forbidden("another kind", "kind_not_allowed").at(UNDOCUMENTED, "/kind"),
    forbidden("another account", "account_mismatch").at(UNDOCUMENTED, "/accounts/globex"),
    GOOD.name("a header missing").profile(DEMANDING)
        .refused("header_refused", 400, NO_HEADER, REQUEST).with(FULL),
    GOOD.name("a new key reads no keys").request("GET", "/api/v1/api-keys")
        .refused("scope_missing", 403, FORBIDDEN, KEYS).with(FULL),
    GOOD.name("scopes missing").at(UNDOCUMENTED, "/scope")
        .refused("scope_missing", 403, FORBIDDEN, BOTH).with(FULL),
    GOOD.name("a scope that the service asks for").world(World::ServiceAsks("api_key.read"))
        .refused("scope_missing", 403, FORBIDDEN, KEYS).with(ONE_LESS),
    // What is too much.
    GOOD.name("a second request in a minute").world(World::ServedBefore).record(|record| {
        let record = record.environment("sandbox").scopes(["inquiry.read"]);
        record.quotas([MINUTE])
    }).refused("rate_limited", 429, LIMITED, &[]).with(EMPTY),
    GOOD.name("too many failed attempts").world(World::FailedBefore).unknown()
        .refused("too_many_failures", 429, LIMITED, &[]).with(&[("retry-after", "60")]),
    GOOD.name("a second request in flight").at(UNDOCUMENTED, "/place").world(World::InFlight)
        .refused("concurrency_exceeded", 429, LIMITED, &[]).with(BUSY),
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
        .refused("limiter_unavailable", 503, UNAVAILABLE, &[])
        .with(trail!("sandbox", "retry-after": "5")),
    GOOD.name("a limiter that may fail").world(World::LimiterFails(OnLimiterFailure::Allow))
        .served(trail!("sandbox")),
];
