//! Polyteia (personal access keys).
//!
//! Documented:
//!
//! * Bearer only.
//! * A key has the current permissions of its account.
//! * `Content-Type` must be `application/json`.
//! * There is one endpoint, `POST /api`. The permission that a command needs is checked in the handler,
//!   with [`Grant::require`](crate::Grant::require).
//!
//! Chosen where the documentation is silent:
//!
//! * Errors are `{"error":{"code":"…","message":"…"}}`.
//! * Keys are 16 to 256 characters of the Bearer alphabet.
//! * A malformed header is an invalid token, so 401 (RFC 6750 §3.1 counts it as one).
//! * The parameters of the media type do not count.

use http::StatusCode;

use super::OUTAGE_SECONDS;
use crate::key::{Alphabet, KeyFormat};
use crate::profile::{
    Answer, Answers, Challenge, CredentialSource, ErrorBody, Expected, LimitHeaders, Profile,
    RequiredHeader,
};
use crate::rules::{Route, RouteRow};

const MISSING: Answer =
    answer(StatusCode::UNAUTHORIZED, "unauthorized", "Authentication is required.")
        .challenge(Challenge::Bare);
const INVALID: Answer =
    answer(StatusCode::UNAUTHORIZED, "unauthorized", "The access key is invalid.")
        .challenge(Challenge::InvalidToken);
const FORBIDDEN: Answer = answer(
    StatusCode::FORBIDDEN,
    "forbidden",
    "You do not have permission to perform this action.",
);
const LIMITED: Answer =
    answer(StatusCode::TOO_MANY_REQUESTS, "rate_limit_exceeded", "Too many requests.");
const UNAVAILABLE: Answer = answer(
    StatusCode::SERVICE_UNAVAILABLE,
    "service_unavailable",
    "The service is temporarily unavailable.",
)
.retry_after(OUTAGE_SECONDS);

const fn answer(status: StatusCode, code: &'static str, message: &'static str) -> Answer<'static> {
    Answer::new(status, ErrorBody::CodeAndMessage { code, message })
}

const fn bad_request(code: &'static str, message: &'static str) -> Answer<'static> {
    answer(StatusCode::BAD_REQUEST, code, message).challenge(Challenge::InvalidRequest)
}

/// Describes how Polyteia authenticates requests.
///
/// ```
/// use tower_api_key::{ApiKeyLayer, Denial, store::MemoryStore, vendors};
///
/// let layer = ApiKeyLayer::builder(vendors::POLYTEIA, MemoryStore::new()).build()?;
/// let answer = layer.answer(&Denial::KeyRevoked);
/// assert_eq!(answer.body(), r#"{"error":{"code":"unauthorized","message":"The access key is invalid."}}"#);
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
pub(super) const PROFILE: Profile = Profile {
    name: "Polyteia",
    realm: "Polyteia",
    credentials: &[CredentialSource::bearer()],
    formats: &[KeyFormat::new().between(Alphabet::Token, 16, 256)],
    required_headers: &[RequiredHeader {
        name: "content-type",
        expected: Expected::MediaType("application/json"),
    }],
    quotas: &[],
    limit_headers: LimitHeaders::NONE,
    principal_headers: &[],
    request_id: None,
    response_headers: &[],
    challenges: &[],
    answers_by_path: &[],
    answers: Answers {
        insecure_transport: bad_request("https_required", "HTTPS is required."),
        credentials_missing: MISSING,
        scheme_unsupported: MISSING,
        too_many_failures: LIMITED,
        credentials_ambiguous: bad_request(
            "invalid_request",
            "More than one Authorization header was sent.",
        ),
        credentials_malformed: INVALID,
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
        header_refused: bad_request(
            "invalid_content_type",
            "Content-Type must be application/json.",
        ),
        scope_missing: FORBIDDEN.challenge(Challenge::InsufficientScope),
        rate_limited: LIMITED,
        concurrency_exceeded: LIMITED,
        timed_out: answer(StatusCode::SERVICE_UNAVAILABLE, "timeout", "The request took too long."),
        internal_error: answer(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal_error",
            "Something went wrong.",
        ),
        store_unavailable: UNAVAILABLE,
        limiter_unavailable: UNAVAILABLE,
    },
};

/// Describes the keys to issue, with 238 random bits. The profile accepts other keys, too.
pub const ISSUED: KeyFormat = KeyFormat::new().literal("pak_").characters(Alphabet::Base62, 40);

/// Lists the one documented route.
pub const ROUTES: &[RouteRow] = &[RouteRow { methods: &[], path: "/api", route: Route::new() }];
