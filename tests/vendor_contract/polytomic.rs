//! Polytomic: kinds of keys, a version header, Basic on premises only.

use std::time::Duration;

use tower_api_key::Profile;
use tower_api_key::profile::{Expected, RequiredHeader};
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::vendors::POLYTOMIC as PROFILE;
use tower_api_key::vendors::polytomic::{DEPLOYMENT, ORGANIZATION, PARTNER, ROUTES};

use super::case::{Case, Edit, Lines, NOW, SERVED, Transport, UNDOCUMENTED, World};
use crate::source::Source;

pub(crate) const KEY: &str = "pk_live_4f8a9b2c7d3e4f1a9b0c2d3e4f5a6b7c";
pub(crate) const AUTHORIZATION: &str = "Bearer pk_live_4f8a9b2c7d3e4f1a9b0c2d3e4f5a6b7c";
pub(crate) const AS_USER: &[&str] =
    &["Basic cGtfbGl2ZV80ZjhhOWIyYzdkM2U0ZjFhOWIwYzJkM2U0ZjVhNmI3Yzo="];
const VERSION: Lines = &[("x-polytomic-version", "2024-02-08")];

pub(crate) const REQUEST: &[&str] = &[r#"Bearer realm="Polytomic", error="invalid_request""#];
const BOTH: &[&str] =
    &[r#"Bearer realm="Polytomic", error="insufficient_scope", scope="need.this need.that""#];
const READ: &[&str] =
    &[r#"Bearer realm="Polytomic", error="insufficient_scope", scope="sync.read""#];

pub(crate) const MISSING: &str =
    r#"{"code":401,"context":{},"error":"No API key was provided","status":"Unauthorized"}"#;
const INVALID: &str =
    r#"{"code":401,"context":{},"error":"The API key is invalid","status":"Unauthorized"}"#;
const HTTPS: &str =
    r#"{"key":"https_required","message":"HTTPS is required","metadata":{},"status":400}"#;
pub(crate) const AMBIGUOUS: &str = r#"{"key":"invalid_request","message":"More than one Authorization header was sent","metadata":{},"status":400}"#;
pub(crate) const NO_VERSION: &str = r#"{"key":"invalid_version","message":"The X-Polytomic-Version header is missing or invalid","metadata":{},"status":400}"#;
const FORBIDDEN: &str =
    r#"{"key":"forbidden","message":"Permission denied","metadata":{},"status":403}"#;
const NOT_FOUND: &str = r#"{"key":"not_found","message":"Not found","metadata":{},"status":404}"#;
const LIMITED: &str =
    r#"{"key":"too_many_requests","message":"Too many requests","metadata":{},"status":429}"#;
const SLOW: &str =
    r#"{"key":"timeout","message":"The request took too long","metadata":{},"status":503}"#;
const UNAVAILABLE: &str = r#"{"key":"service_unavailable","message":"The service is temporarily unavailable","metadata":{},"status":503}"#;
const FAILED: &str =
    r#"{"key":"internal_error","message":"Internal error","metadata":{},"status":500}"#;
const OUTAGE: Lines = &[("retry-after", "5")];

const MINUTE: Quota = Quota::new("minute", 1, Duration::from_secs(60));
pub(crate) const USERS: &str = "/api/organizations/248df4b7-aa70-47b8-a036-33ac447e668d/users";
pub(crate) const KEYS: &str = "/api/organizations/248df4b7-aa70-47b8-a036-33ac447e668d/users/0ecd09c1-b901-4d27-9053-f0367c427254/keys?force=true";

/// What the two deployments do not have in common.
#[derive(Clone, Copy)]
pub(crate) struct Deployment {
    pub(crate) profile: Profile<'static>,
    /// The profile, serving the versions that it lists.
    pub(crate) listing: Profile<'static>,
    /// The challenges when no credential came, and for a key that does not serve.
    pub(crate) bare: &'static [&'static str],
    pub(crate) token: &'static [&'static str],
}

pub(crate) const LISTED: &[RequiredHeader] = &[RequiredHeader {
    name: "x-polytomic-version",
    expected: Expected::OneOf(&["2024-02-08", "2025-09-18"]),
}];

pub(crate) const SERVICE: Deployment = Deployment {
    profile: PROFILE,
    listing: Profile { required_headers: LISTED, ..PROFILE },
    bare: &[r#"Bearer realm="Polytomic""#],
    token: &[r#"Bearer realm="Polytomic", error="invalid_token""#],
};

const AS_ORGANIZATION: Edit = |record| record.kind(ORGANIZATION);
pub(crate) const AS_PARTNER: Edit = |record| record.kind(PARTNER);
pub(crate) const AS_DEPLOYMENT: Edit = |record| record.kind(DEPLOYMENT);

impl Deployment {
    /// A request that is served: an API key of an organization.
    pub(crate) const fn good(self, name: &'static str) -> Case {
        Case {
            name,
            profile: self.profile,
            source: Source::Constant,
            routes: ROUTES,
            environment: None,
            world: World::Sound,
            transport: Transport::Tls,
            method: "GET",
            target: "/api/bulk/syncs",
            authorization: &[AUTHORIZATION],
            headers: VERSION,
            key: KEY,
            record: Some(AS_ORGANIZATION),
            content_type: "application/json",
            reply: SERVED,
        }
    }

    const fn partner(self, name: &'static str) -> Case {
        self.good(name).record(AS_PARTNER).request("GET", USERS)
    }

    pub(crate) const fn missing(self, name: &'static str, denial: &'static str) -> Case {
        self.good(name).refused(denial, 401, MISSING, self.bare)
    }

    pub(crate) const fn invalid(self, name: &'static str, denial: &'static str) -> Case {
        self.good(name).refused(denial, 401, INVALID, self.token)
    }

    const fn forbidden(self, name: &'static str, denial: &'static str) -> Case {
        self.good(name).refused(denial, 403, FORBIDDEN, &[])
    }

    const fn not_found(self, name: &'static str, denial: &'static str) -> Case {
        self.good(name).refused(denial, 404, NOT_FOUND, &[])
    }

    const fn version(self, name: &'static str, headers: Lines) -> Case {
        self.good(name).headers(headers)
    }

    const fn no_version(self, name: &'static str, headers: Lines) -> Case {
        let case = self.version(name, headers);
        case.refused("header_refused", 400, NO_VERSION, REQUEST)
    }

    const fn plain(self, name: &'static str) -> Case {
        let case = self.good(name).over(Transport::Plain);
        case.refused("insecure_transport", 400, HTTPS, REQUEST)
    }

    const fn down(self, name: &'static str, denial: &'static str) -> Case {
        self.good(name).refused(denial, 503, UNAVAILABLE, &[]).with(OUTAGE)
    }

    /// What holds as a service and on premises.
    #[rustfmt::skip] // A table reads best with a row on a line or two.
    pub(crate) const fn common(self) -> [Case; 57] {
        [
            self.good("an API key"),
            self.good("an API key asks whose it is").request("GET", "/api/me"),
            self.good("an older key").key("0ecd09c1-b901-4d27-9053-f0367c427254")
                .authorization(&["Bearer 0ecd09c1-b901-4d27-9053-f0367c427254"]),
            self.partner("a partner key lists users"),
            self.partner("a partner key lists organizations").request("GET", "/api/organizations"),
            self.partner("a partner key issues a key").request("POST", KEYS),
            self.partner("a partner key asks whose it is").request("GET", "/api/me"),
            self.version("the first version", &[("x-polytomic-version", "2022-12-12")]),
            self.version("the last version", &[("x-polytomic-version", "2025-09-18")]),
            self.version("any date", &[("x-polytomic-version", "2031-01-31")]),
            self.good("a listed version").profile(self.listing),
            self.no_version("no version", &[]),
            self.no_version("an empty version", &[("x-polytomic-version", "")]),
            self.no_version("a blank version", &[("x-polytomic-version", "  ")]),
            self.no_version("a word for a version", &[("x-polytomic-version", "latest")]),
            self.no_version("no day of any calendar", &[("x-polytomic-version", "2024-02-30")]),
            self.no_version("two versions",
                &[("x-polytomic-version", "2024-02-08"), ("x-polytomic-version", "2025-09-18")]),
            self.no_version("a version that is not listed", &[("x-polytomic-version", "2023-04-25")])
                .profile(self.listing),
            self.no_version("no version for a partner", &[]).record(AS_PARTNER)
                .request("POST", KEYS),
            // Without a credential, or with one that is none.
            self.missing("no Authorization", "credentials_missing").authorization(&[]),
            self.missing("another scheme", "scheme_unsupported").authorization(&["Digest a"]),
            self.good("two lines").authorization(&[AUTHORIZATION, AUTHORIZATION])
                .refused("credentials_ambiguous", 400, AMBIGUOUS, REQUEST),
            self.invalid("an empty field", "credentials_malformed").authorization(&[""]),
            self.invalid("the scheme alone", "credentials_malformed").authorization(&["Bearer"]),
            self.invalid("a space in the token", "credentials_malformed")
                .authorization(&["Bearer pk_live_4f8a9b2c7d3e4f1a 9b0c2d3e4f5a6b7c"]),
            self.plain("plain HTTP"),
            self.plain("plain HTTP without a key").authorization(&[]),
            self.plain("plain HTTP while the store fails").world(World::StoreFails),
            self.plain("no word on the connection").over(Transport::Unmarked),
            // Keys that do not serve.
            self.invalid("a key that is too short", "key_malformed")
                .authorization(&["Bearer pk_live_4f8a9b2c"]),
            self.invalid("an unknown key", "key_unknown").unknown(),
            self.invalid("a revoked key", "key_revoked").record(|record| record.revoked(true)),
            self.invalid("a disabled key", "key_disabled").record(|record| record.disabled(true)),
            self.invalid("an early key", "key_not_yet_valid")
                .record(|record| record.not_before(NOW.plus(Duration::from_nanos(1)))),
            self.invalid("an expired key", "key_expired").record(|record| record.expires(NOW)),
            self.invalid("another environment", "environment_mismatch").pinned("production"),
            self.invalid("the deployment key as a Bearer token", "scheme_not_for_kind")
                .record(AS_DEPLOYMENT),
            self.invalid("a key without a kind", "scheme_not_for_kind").record(|record| record),
            // What a key may not do.
            self.forbidden("another network", "network_not_allowed")
                .record(|record| record.kind(ORGANIZATION).networks(["198.51.100.0/24"])),
            self.forbidden("an API key lists users", "kind_not_allowed").request("GET", USERS),
            self.forbidden("an API key lists organizations", "kind_not_allowed")
                .request("GET", "/api/organizations"),
            self.forbidden("an API key issues a key", "kind_not_allowed").request("POST", KEYS),
            self.forbidden("a partner key lists syncs", "kind_not_allowed").record(AS_PARTNER),
            self.not_found("no route", "route_unknown").request("GET", "/api/other"),
            self.not_found("another organization", "account_mismatch")
                .at(UNDOCUMENTED, "/accounts/globex"),
            self.good("scopes missing").at(UNDOCUMENTED, "/scope")
                .refused("scope_missing", 403, FORBIDDEN, BOTH),
            self.good("a scope that the service asks for").world(World::ServiceAsks("sync.read"))
                .refused("scope_missing", 403, FORBIDDEN, READ),
            // What is too much.
            self.good("a second request in a minute").world(World::ServedBefore)
                .record(|record| record.kind(ORGANIZATION).quotas([MINUTE]))
                .refused("rate_limited", 429, LIMITED, &[]).with(&[("retry-after", "60")]),
            self.good("too many failed attempts").world(World::FailedBefore).unknown()
                .refused("too_many_failures", 429, LIMITED, &[]).with(&[("retry-after", "60")]),
            self.good("a second request in flight").at(UNDOCUMENTED, "/place")
                .world(World::InFlight)
                .refused("concurrency_exceeded", 429, LIMITED, &[]).with(&[("retry-after", "1")]),
            self.good("a slow service").at(UNDOCUMENTED, "/budget").world(World::ServiceStalls)
                .refused("timed_out", 503, SLOW, &[]),
            self.good("a service that fails").world(World::ServiceFails)
                .refused("internal_error", 500, FAILED, &[]),
            // Outages.
            self.down("a store that fails", "store_unavailable").world(World::StoreFails),
            self.down("a store that fails later", "store_unavailable")
                .world(World::StoreFailsLater),
            self.down("a limiter that fails", "limiter_unavailable")
                .world(World::LimiterFails(OnLimiterFailure::Deny))
                .record(|record| record.kind(ORGANIZATION).quotas([MINUTE])),
            self.down("a limiter that fails later", "limiter_unavailable")
                .world(World::LimiterFailsLater(OnLimiterFailure::Deny))
                .record(|record| record.kind(ORGANIZATION).quotas([MINUTE])),
            self.good("a limiter that may fail")
                .world(World::LimiterFails(OnLimiterFailure::Allow))
                .record(|record| record.kind(ORGANIZATION).quotas([MINUTE])),
        ]
    }
}

pub(crate) const GOOD: Case = SERVICE.good("a key that serves");

pub(crate) const CASES: &[Case] = &SERVICE.common();
