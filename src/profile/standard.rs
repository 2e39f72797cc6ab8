//! The profile of those who copy no vendor: what the standards say, and nothing else.

use http::StatusCode;

use super::answer::{Answer, Answers};
use super::body::ErrorBody;
use super::challenge::Challenge;
use super::description::Profile;
use super::limit_headers::LimitHeaders;
use super::source::CredentialSource;
use crate::key::KeyFormat;

/// The seconds that clients are told to stay away while a store or limiter is down.
const OUTAGE_SECONDS: u32 = 5;

impl Profile<'static> {
    /// Follows the standards and copies no vendor: the profile to begin with.
    ///
    /// * Keys come as `Authorization: Bearer` (RFC 6750) or in `X-Api-Key`, and look like
    ///   [`KeyFormat::STANDARD`].
    /// * Refusals are problem details (RFC 9457). They say no more than a client has to know.
    /// * Limits are told in `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-11).
    /// * It has no quotas, demands no header, and sends none about the key's account.
    ///
    /// ```
    /// use tower_api_key::key::KeyFormat;
    /// use tower_api_key::{ApiKeyLayer, Denial, Profile, store::MemoryStore};
    ///
    /// const OURS: Profile = Profile {
    ///     realm: "api.example.com",
    ///     formats: &[KeyFormat::prefixed("acme", &["live", "test"])],
    ///     ..Profile::STANDARD
    /// };
    /// let layer = ApiKeyLayer::builder(OURS, MemoryStore::new()).build()?;
    /// let answer = layer.answer(&Denial::KeyExpired);
    /// assert_eq!(answer.status(), 401);
    /// assert_eq!(
    ///     answer.body(),
    ///     r#"{"type":"about:blank","title":"Unauthorized","status":401,"detail":"The API key is not valid."}"#
    /// );
    /// # Ok::<(), tower_api_key::ConfigError>(())
    /// ```
    pub const STANDARD: Self = Self {
        name: "Standard",
        realm: "api",
        credentials: &[CredentialSource::bearer(), CredentialSource::header("x-api-key")],
        formats: &[KeyFormat::STANDARD],
        required_headers: &[],
        quotas: &[],
        limit_headers: LimitHeaders::STRUCTURED,
        principal_headers: &[],
        answers: ANSWERS,
    };
}

/// What does not name its own row is about a key that does not serve, and all of that reads alike.
const ANSWERS: Answers<'static> = Answers {
    insecure_transport: bad_request("HTTPS is required."),
    credentials_missing: MISSING,
    scheme_unsupported: MISSING,
    too_many_failures: LIMITED,
    credentials_ambiguous: MALFORMED,
    credentials_malformed: MALFORMED,
    network_not_allowed: FORBIDDEN,
    route_unknown: FORBIDDEN,
    kind_not_allowed: FORBIDDEN,
    account_mismatch: FORBIDDEN,
    header_refused: bad_request("A required header is missing or not valid."),
    scope_missing: FORBIDDEN.challenge(Challenge::InsufficientScope),
    rate_limited: LIMITED,
    concurrency_exceeded: LIMITED,
    timed_out: unavailable("The request took too long."),
    internal_error: problem(
        StatusCode::INTERNAL_SERVER_ERROR,
        "Internal Server Error",
        "The service failed.",
    ),
    store_unavailable: UNAVAILABLE,
    limiter_unavailable: UNAVAILABLE,
    ..Answers::all(INVALID)
};

const MISSING: Answer<'static> =
    problem(StatusCode::UNAUTHORIZED, "Unauthorized", "An API key is required.")
        .challenge(Challenge::Bare);
const INVALID: Answer<'static> =
    problem(StatusCode::UNAUTHORIZED, "Unauthorized", "The API key is not valid.")
        .challenge(Challenge::InvalidToken);
const MALFORMED: Answer<'static> = bad_request("Send exactly one API key.");
const FORBIDDEN: Answer<'static> =
    problem(StatusCode::FORBIDDEN, "Forbidden", "The API key does not allow this request.");
const LIMITED: Answer<'static> =
    problem(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests", "Try again later.");
const UNAVAILABLE: Answer<'static> =
    unavailable("The service cannot answer now.").retry_after(OUTAGE_SECONDS);

const fn bad_request(detail: &'static str) -> Answer<'static> {
    problem(StatusCode::BAD_REQUEST, "Bad Request", detail).challenge(Challenge::InvalidRequest)
}

const fn unavailable(detail: &'static str) -> Answer<'static> {
    problem(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable", detail)
}

/// With `about:blank` the title is the phrase of the status (RFC 9457 §4.2.1).
const fn problem(status: StatusCode, title: &'static str, detail: &'static str) -> Answer<'static> {
    Answer::new(status, ErrorBody::Problem { kind: "about:blank", title, detail })
}
