//! REST API Integrations (`https://api.example.com/v1`).
//!
//! Documented:
//!
//! * Bearer only.
//! * Errors are JSON, `{"error":"…"}`.
//! * An account may send 100 requests a minute and 5000 an hour.
//! * Responses have `RateLimit-Remaining` and `RateLimit-Reset`.
//!
//! Chosen where the documentation is silent:
//!
//! * Keys are 16 to 256 characters of the Bearer alphabet.
//! * A malformed header is 400. Another scheme counts as no credential.
//! * The scopes are `users.read` and `users.write`.

use std::time::Duration;

use http::{Method, StatusCode};

use super::OUTAGE_SECONDS;
use crate::key::{Alphabet, KeyFormat};
use crate::profile::{
    Answer, Answers, Challenge, CredentialSource, ErrorBody, LimitHeaders, Profile,
};
use crate::quota::Quota;
use crate::rules::{Route, RouteRow};

const MISSING: Answer = Answer::new(StatusCode::UNAUTHORIZED, ErrorBody::Error("Missing API key."))
    .challenge(Challenge::Bare);
const INVALID: Answer =
    Answer::new(StatusCode::UNAUTHORIZED, ErrorBody::Error("Invalid API key provided."))
        .challenge(Challenge::InvalidToken);
const MALFORMED: Answer = bad_request("Malformed Authorization header.");
const FORBIDDEN: Answer = Answer::new(
    StatusCode::FORBIDDEN,
    ErrorBody::Error("You do not have permission to perform this action."),
);
const LIMITED: Answer =
    Answer::new(StatusCode::TOO_MANY_REQUESTS, ErrorBody::Error("Rate limit exceeded."));
const UNAVAILABLE: Answer = Answer::new(
    StatusCode::SERVICE_UNAVAILABLE,
    ErrorBody::Error("Service temporarily unavailable."),
)
.retry_after(OUTAGE_SECONDS);

const fn bad_request(message: &'static str) -> Answer<'static> {
    Answer::new(StatusCode::BAD_REQUEST, ErrorBody::Error(message))
        .challenge(Challenge::InvalidRequest)
}

/// Describes how REST API Integrations authenticates requests.
///
/// ```
/// use tower_api_key::{ApiKeyLayer, Denial, store::MemoryStore, vendors};
///
/// let layer = ApiKeyLayer::builder(vendors::REST_INTEGRATIONS, MemoryStore::new()).without_limits().build()?;
/// let answer = layer.answer(&Denial::CredentialsMissing);
/// assert_eq!(answer.body(), r#"{"error":"Missing API key."}"#);
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
pub(super) const PROFILE: Profile = Profile {
    name: "REST API Integrations",
    realm: "REST API Integrations",
    credentials: &[CredentialSource::bearer()],
    formats: &[KeyFormat::new().between(Alphabet::Token, 16, 256)],
    required_headers: &[],
    quotas: &[
        Quota::new("minute", 100, Duration::from_secs(60)),
        Quota::new("hour", 5_000, Duration::from_secs(3_600)),
    ],
    limit_headers: LimitHeaders { limit: false, ..LimitHeaders::RATE_LIMIT },
    principal_headers: &[],
    request_id: None,
    response_headers: &[],
    challenges: &[],
    answers_by_path: &[],
    answers: Answers {
        insecure_transport: bad_request("HTTPS is required."),
        credentials_missing: MISSING,
        scheme_unsupported: MISSING,
        too_many_failures: LIMITED,
        credentials_ambiguous: MALFORMED,
        credentials_malformed: MALFORMED,
        key_malformed: INVALID,
        key_unknown: INVALID,
        key_revoked: INVALID,
        key_disabled: INVALID,
        key_not_yet_valid: INVALID,
        key_expired: INVALID,
        environment_mismatch: INVALID,
        network_not_allowed: FORBIDDEN,
        scheme_not_for_kind: INVALID,
        route_unknown: FORBIDDEN,
        kind_not_allowed: FORBIDDEN,
        account_mismatch: FORBIDDEN,
        header_refused: bad_request("Missing or invalid header."),
        scope_missing: FORBIDDEN.challenge(Challenge::InsufficientScope),
        rate_limited: LIMITED,
        concurrency_exceeded: LIMITED,
        timed_out: Answer::new(
            StatusCode::SERVICE_UNAVAILABLE,
            ErrorBody::Error("Request took too long."),
        ),
        internal_error: Answer::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            ErrorBody::Error("Internal server error."),
        ),
        store_unavailable: UNAVAILABLE,
        limiter_unavailable: UNAVAILABLE,
    },
};

/// Describes the keys to issue, with 190 random bits. The profile accepts other keys, too.
pub const ISSUED: KeyFormat = KeyFormat::new().literal("sk_").characters(Alphabet::Base62, 32);

/// Lists the documented routes: `GET` needs `users.read`; `POST`, `PUT` and `DELETE` need
/// `users.write`.
pub const ROUTES: &[RouteRow] = &[
    RouteRow {
        methods: &[Method::GET],
        path: "/v1/{*rest}",
        route: Route::new().all_of(&["users.read"]),
    },
    RouteRow {
        methods: &[Method::POST, Method::PUT, Method::DELETE],
        path: "/v1/{*rest}",
        route: Route::new().all_of(&["users.write"]),
    },
];
