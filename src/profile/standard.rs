//! The standard profile, which follows RFCs and copies no vendor.

use http::StatusCode;

use super::answer::Answer;
use super::answers::Answers;
use super::body::ErrorBody;
use super::challenge::Challenge;
use super::description::Profile;
use super::limit_headers::LimitHeaders;
use super::problem::Problem;
use super::source::CredentialSource;
use crate::key::KeyFormat;

/// The `Retry-After` of an answer while the store or the limiter is down, in seconds.
const OUTAGE_SECONDS: u32 = 5;

impl Profile<'static> {
    /// Follows the standards and copies no vendor. Begin with this profile.
    ///
    /// * A key comes in `Authorization: Bearer` (RFC 6750) or in `X-Api-Key`, and has the format
    ///   [`KeyFormat::STANDARD`].
    /// * Refusals are problem details (RFC 9457). They say no more than a client has to know. A used quota has the
    ///   type `quota-exceeded`, and its name in `violated-policies`.
    /// * `RateLimit-Policy` and `RateLimit` report limits (draft-ietf-httpapi-ratelimit-headers-11).
    /// * The profile has no quotas, requires no header, and sends no principal headers.
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
        request_id: None,
        response_headers: &[],
        challenges: &[],
        answers: ANSWERS,
        answers_by_path: &[],
    };
}

const ANSWERS: Answers<'static> = Answers {
    insecure_transport: bad_request("HTTPS is required."),
    too_many_failures: LIMITED,
    credentials_ambiguous: MALFORMED,
    credentials_malformed: MALFORMED,
    header_refused: bad_request("A required header is missing or not valid."),
    scope_missing: FORBIDDEN.challenge(Challenge::InsufficientScope),
    rate_limited: Answer::new(
        StatusCode::TOO_MANY_REQUESTS,
        ErrorBody::Problem(Problem::quota_exceeded("Try again later.")),
    ),
    concurrency_exceeded: LIMITED,
    timed_out: unavailable("The request took too long."),
    internal_error: problem(
        StatusCode::INTERNAL_SERVER_ERROR,
        "Internal Server Error",
        "The service failed.",
    ),
    store_unavailable: UNAVAILABLE,
    limiter_unavailable: UNAVAILABLE,
    // A row that a later version adds is about a key that is not valid, until it has a line here.
    ..Answers::all(INVALID)
}
.with_unauthorized(MISSING, INVALID)
.with_forbidden(FORBIDDEN);

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

/// With `about:blank`, the title must be the reason phrase of the status (RFC 9457 §4.2.1).
const fn problem(status: StatusCode, title: &'static str, detail: &'static str) -> Answer<'static> {
    Answer::new(status, ErrorBody::Problem(Problem::new("about:blank", title, detail)))
}
