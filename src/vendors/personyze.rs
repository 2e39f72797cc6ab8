//! Personyze (REST API authentication).
//!
//! Documented:
//!
//! * Basic only, with the user name `api`.
//! * HTTPS only, "even for localhost proxies and dev environments".
//! * Bodies are plain text.
//! * An account may have one insert in flight.
//!
//! Chosen where the documentation is silent:
//!
//! * Keys are 40 hexadecimal digits, as in the documentation's sample.
//! * Two `Authorization` lines are 401, as the documentation says of every malformed header.
//! * A well-formed key that is revoked, expired or disabled gets the same response as a malformed key.
//! * A key from a network that is not on its allowlist is 403, and so is a key without the needed
//!   permission.

use std::time::Duration;

use http::{Method, StatusCode};

use super::OUTAGE_SECONDS;
use crate::concurrency::Concurrency;
use crate::key::KeyFormat;
use crate::profile::{
    Answer, Answers, BasicKey, Challenge, CredentialSource, ErrorBody, LimitHeaders, Profile,
};
use crate::rules::{Route, RouteRow};

const LOG_IN: Answer = unauthorized("Please, log in");
const UNKNOWN: Answer = unauthorized("Unknown API key");
const FORBIDDEN: Answer = Answer::new(StatusCode::FORBIDDEN, ErrorBody::Text("Access denied"));
const LIMITED: Answer =
    Answer::new(StatusCode::TOO_MANY_REQUESTS, ErrorBody::Text("Too many requests"));
const UNAVAILABLE: Answer =
    Answer::new(StatusCode::SERVICE_UNAVAILABLE, ErrorBody::Text("Service unavailable"))
        .retry_after(OUTAGE_SECONDS);

const fn unauthorized(text: &'static str) -> Answer<'static> {
    Answer::new(StatusCode::UNAUTHORIZED, ErrorBody::Text(text)).challenge(Challenge::Bare)
}

/// Describes how Personyze authenticates requests.
///
/// ```
/// use tower_api_key::{ApiKeyLayer, Denial, store::MemoryStore, vendors};
///
/// let layer = ApiKeyLayer::builder(vendors::PERSONYZE, MemoryStore::new()).build()?;
/// let answer = layer.answer(&Denial::CredentialsMissing);
/// assert_eq!(answer.body(), "Please, log in");
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
pub(super) const PROFILE: Profile = Profile {
    name: "Personyze",
    realm: "Personyze",
    credentials: &[CredentialSource::basic(BasicKey::PasswordOf("api"))],
    formats: &[KeyFormat::hex(40)],
    required_headers: &[],
    quotas: &[],
    limit_headers: LimitHeaders::NONE,
    principal_headers: &[],
    request_id: None,
    response_headers: &[],
    challenges: &[],
    answers_by_path: &[],
    answers: Answers {
        insecure_transport: unauthorized("HTTPS is required"),
        credentials_missing: LOG_IN,
        scheme_unsupported: LOG_IN,
        too_many_failures: LIMITED,
        credentials_ambiguous: LOG_IN,
        credentials_malformed: LOG_IN,
        key_malformed: UNKNOWN,
        key_unknown: Answer::new(StatusCode::BAD_REQUEST, ErrorBody::Text("Invalid API key")),
        key_revoked: UNKNOWN,
        key_disabled: UNKNOWN,
        key_not_yet_valid: UNKNOWN,
        key_expired: UNKNOWN,
        environment_mismatch: UNKNOWN,
        network_not_allowed: FORBIDDEN,
        scheme_not_for_kind: UNKNOWN,
        route_unknown: FORBIDDEN,
        kind_not_allowed: FORBIDDEN,
        account_mismatch: UNKNOWN,
        header_refused: Answer::new(StatusCode::BAD_REQUEST, ErrorBody::Text("Invalid header")),
        scope_missing: FORBIDDEN,
        rate_limited: LIMITED,
        concurrency_exceeded: Answer::new(
            StatusCode::BAD_REQUEST,
            ErrorBody::Text("Too many simultaneous requests"),
        ),
        timed_out: Answer::new(
            StatusCode::SERVICE_UNAVAILABLE,
            ErrorBody::Text("Request took too long"),
        ),
        internal_error: Answer::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            ErrorBody::Text("Internal server error"),
        ),
        store_unavailable: UNAVAILABLE,
        limiter_unavailable: UNAVAILABLE,
    },
};

/// Describes the keys to issue, with 160 random bits.
pub const ISSUED: KeyFormat = KeyFormat::hex(40);

/// Lists the documented routes. An account may have one insert of users in flight, and a second one
/// waits for 1 s. The tracker has 10 s to answer.
pub const ROUTES: &[RouteRow] = &[
    RouteRow {
        methods: &[Method::POST],
        path: "/rest/users",
        route: Route::new()
            .concurrency(Concurrency::new(1).with_longest_wait(Duration::from_secs(1))),
    },
    RouteRow {
        methods: &[],
        path: "/rest/tracker",
        route: Route::new().budget(Duration::from_secs(10)),
    },
    RouteRow { methods: &[Method::GET], path: "/rest/users", route: Route::new() },
    RouteRow { methods: &[], path: "/rest/{*rest}", route: Route::new() },
];
