//! Persona (API keys and permissions).
//!
//! Documented:
//!
//! * Bearer only.
//! * Keys start with `persona_sandbox_` or `persona_production_`.
//! * A key has its own permissions, with any names, and its own address allowlist.
//! * Errors are `{"errors":[{"title":"…","details":"…"}]}`.
//! * An organization may send 300 requests a minute, counted in a leaky bucket.
//! * Every response to an authenticated request has five headers.
//!
//! Chosen where the documentation is silent:
//!
//! * After its prefix, a key has 16 to 200 characters.
//! * An address that is not on the allowlist is 403.
//! * A malformed header is an invalid token, so 401 (RFC 6750 §3.1 counts it as one).
//! * A gate accepts keys of both environments, unless it is
//!   [pinned](crate::ApiKeyLayerBuilder::environment).
//!
//! A key can choose how responses are written (key inflection, attribute blocklist). The layer of the feature `shaping`
//! does that: keep the choice in the record's metadata, and put the layer inside of the gate, with the header
//! `Key-Inflection`, as the demo server does.

use std::time::Duration;

use http::{Method, StatusCode};

use super::OUTAGE_SECONDS;
use crate::key::{Alphabet, KeyFormat};
use crate::profile::{
    Answer, Answers, Challenge, CredentialSource, ErrorBody, LimitHeaders, PrincipalHeader,
    PrincipalValue, Profile,
};
use crate::quota::{Algorithm, Quota};
use crate::rules::{Route, RouteRow};

const MISSING: Answer = answer(StatusCode::UNAUTHORIZED, "Unauthorized", "An API key is required.")
    .challenge(Challenge::Bare);
const INVALID: Answer = answer(StatusCode::UNAUTHORIZED, "Unauthorized", "The API key is invalid.")
    .challenge(Challenge::InvalidToken);
const FORBIDDEN: Answer = answer(
    StatusCode::FORBIDDEN,
    "Forbidden",
    "The API key does not have permission to perform this action.",
);
const LIMITED: Answer =
    answer(StatusCode::TOO_MANY_REQUESTS, "Too many requests", "The rate limit was exceeded.");
const UNAVAILABLE: Answer = answer(
    StatusCode::SERVICE_UNAVAILABLE,
    "Service unavailable",
    "The service is temporarily unavailable.",
)
.retry_after(OUTAGE_SECONDS);

const fn answer(status: StatusCode, title: &'static str, details: &'static str) -> Answer<'static> {
    Answer::new(status, ErrorBody::TitleAndDetails { title, details })
}

const fn bad_request(details: &'static str) -> Answer<'static> {
    answer(StatusCode::BAD_REQUEST, "Bad request", details).challenge(Challenge::InvalidRequest)
}

/// Describes how Persona authenticates requests.
///
/// ```
/// use tower_api_key::{ApiKeyLayer, Denial, store::MemoryStore, vendors};
///
/// let layer = ApiKeyLayer::builder(vendors::PERSONA, MemoryStore::new()).without_limits().build()?;
/// let answer = layer.answer(&Denial::KeyRevoked);
/// assert_eq!(answer.body(), r#"{"errors":[{"title":"Unauthorized","details":"The API key is invalid."}]}"#);
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
pub(super) const PROFILE: Profile = Profile {
    name: "Persona",
    realm: "Persona",
    credentials: &[CredentialSource::bearer()],
    formats: &[KeyFormat::new()
        .literal("persona_")
        .environment(&["sandbox", "production"])
        .literal("_")
        .between(Alphabet::Base64Url, 16, 200)],
    required_headers: &[],
    quotas: &[
        Quota::new("minute", 300, Duration::from_secs(60)).with_algorithm(Algorithm::LeakyBucket)
    ],
    limit_headers: LimitHeaders::RATE_LIMIT,
    principal_headers: &[
        PrincipalHeader { name: "request-id", value: PrincipalValue::RequestId("req_") },
        PrincipalHeader { name: "persona-environment-id", value: PrincipalValue::Environment },
        PrincipalHeader { name: "persona-organization-id", value: PrincipalValue::Account },
    ],
    request_id: None,
    response_headers: &[],
    challenges: &[],
    answers_by_path: &[],
    answers: Answers {
        insecure_transport: bad_request("HTTPS is required."),
        credentials_missing: MISSING,
        scheme_unsupported: MISSING,
        too_many_failures: LIMITED,
        credentials_ambiguous: bad_request("More than one Authorization header was sent."),
        credentials_malformed: INVALID,
        key_malformed: INVALID,
        key_unknown: INVALID,
        key_revoked: INVALID,
        key_disabled: INVALID,
        key_not_yet_valid: INVALID,
        key_expired: INVALID,
        environment_mismatch: INVALID,
        network_not_allowed: answer(
            StatusCode::FORBIDDEN,
            "Forbidden",
            "The API key may not be used from this IP address.",
        ),
        scheme_not_for_kind: INVALID,
        route_unknown: FORBIDDEN,
        kind_not_allowed: FORBIDDEN,
        account_mismatch: FORBIDDEN,
        header_refused: bad_request("A required header is missing or invalid."),
        scope_missing: FORBIDDEN.challenge(Challenge::InsufficientScope),
        rate_limited: LIMITED,
        concurrency_exceeded: LIMITED,
        timed_out: answer(
            StatusCode::SERVICE_UNAVAILABLE,
            "Service unavailable",
            "The request took too long.",
        ),
        internal_error: answer(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Internal server error",
            "Something went wrong.",
        ),
        store_unavailable: UNAVAILABLE,
        limiter_unavailable: UNAVAILABLE,
    },
};

/// Lists the permissions of a new key: all documented ones except [`KEY_PERMISSIONS`].
///
/// ```
/// use tower_api_key::key::{Account, KeyRecord};
/// use tower_api_key::vendors::persona::DEFAULT_PERMISSIONS;
///
/// let acme = Account::builder("acme").build()?;
/// let record = KeyRecord::builder("key_1", acme).scopes(DEFAULT_PERMISSIONS).build()?;
/// assert!(record.scopes().contains("inquiry.read"));
/// assert!(!record.scopes().contains("api_key.read"), "see `KEY_PERMISSIONS`");
/// # Ok::<(), tower_api_key::key::InvalidRecord>(())
/// ```
pub const DEFAULT_PERMISSIONS: &[&str] = &[
    "account.read",
    "account.write",
    "api_log.read",
    "case.read",
    "case.write",
    "document.read",
    "document.write",
    "event.read",
    "importer.read",
    "importer.write",
    "inquiry.read",
    "inquiry.write",
    "list.read",
    "list.write",
    "report.read",
    "report.write",
    "txn.read",
    "txn.write",
    "user_audit_log.read",
    "verification.read",
    "verification.write",
    "webhook.read",
    "webhook.write",
    "workflow.trigger",
];

/// Lists the permissions to read, change and provision keys. A new key has none of them.
pub const KEY_PERMISSIONS: &[&str] = &["api_key.write", "api_key.read", "api_key.scim"];

/// Describes the keys to issue, with 190 random bits. The profile accepts other keys, too.
pub const ISSUED: KeyFormat = KeyFormat::new()
    .literal("persona_")
    .environment(&["sandbox", "production"])
    .literal("_")
    .characters(Alphabet::Base62, 32);

/// Lists the documented routes of inquiries, accounts, reports, keys and rate limits.
pub const ROUTES: &[RouteRow] = &[
    row(&[Method::GET], "/api/v1/inquiries", &["inquiry.read"]),
    row(&[Method::POST], "/api/v1/inquiries", &["inquiry.write"]),
    row(&[Method::GET], "/api/v1/inquiries/{id}", &["inquiry.read"]),
    row(&[Method::GET], "/api/v1/accounts", &["account.read"]),
    row(&[Method::GET], "/api/v1/reports", &["report.read"]),
    row(&[Method::POST], "/api/v1/reports", &["report.write"]),
    row(&[Method::GET], "/api/v1/api-keys", &["api_key.read"]),
    row(&[Method::GET], "/api/v1/rate-limits", &[]),
];

const fn row(
    methods: &'static [Method],
    path: &'static str,
    scopes: &'static [&'static str],
) -> RouteRow<'static> {
    RouteRow { methods, path, route: Route::new().all_of(scopes) }
}
