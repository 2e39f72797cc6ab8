//! The answer to one kind of denial.

use http::{HeaderMap, StatusCode};

use super::body::ErrorBody;
use super::challenge::Challenge;
use super::grpc::GrpcCode;
use super::refusal::Refusal;
use super::scheme_challenge::SchemeChallenge;
use super::status_number::StatusNumber;

/// Describes the response to one kind of denial: its status, body, challenge and `Retry-After`.
///
/// ```
/// use http::StatusCode;
/// use tower_api_key::profile::{Answer, Challenge, ErrorBody};
///
/// const INVALID: Answer = Answer::new(
///     StatusCode::UNAUTHORIZED,
///     ErrorBody::Error("Invalid API key provided."),
/// )
/// .challenge(Challenge::InvalidToken);
/// assert_eq!(INVALID.status(), 401);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    pub(crate) status: StatusNumber,
    pub(crate) body: ErrorBody<'a>,
    pub(crate) content_type: Option<&'a str>,
    pub(crate) challenge: Challenge,
    pub(crate) challenges: &'a [SchemeChallenge<'a>],
    pub(crate) retry_after: Option<u32>,
    pub(crate) sends_retry_after: bool,
    pub(crate) grpc: Option<GrpcCode>,
    pub(crate) documentation_url: Option<&'a str>,
    pub(crate) own_headers: &'a [(&'a str, &'a str)],
    pub(crate) made_headers: Option<fn(&Refusal<'_>) -> HeaderMap>,
    pub(crate) by_quota: &'a [QuotaAnswer<'a>],
    pub(crate) by_header: &'a [HeaderAnswer<'a>],
}

/// Gives requests that exceed one quota an answer of their own: an entry of [`Answer::by_quota`].
///
/// ```
/// use std::time::Duration;
/// use http::StatusCode;
/// use tower_api_key::profile::{Answer, Answers, ErrorBody, QuotaAnswer};
/// use tower_api_key::quota::Quota;
/// use tower_api_key::{Profile, vendors};
///
/// const SPENT: Answer = Answer::of_code(456, ErrorBody::Error("Your month's quota is used up."))
///     .without_retry_after();
/// const LIMITED: Answer = Answer::new(StatusCode::TOO_MANY_REQUESTS, ErrorBody::Error("Slow down."))
///     .by_quota(&[QuotaAnswer { quota: "month", answer: SPENT }]);
/// const OURS: Profile = Profile {
///     quotas: &[
///         Quota::new("minute", 100, Duration::from_secs(60)),
///         Quota::by_month("month", 50_000),
///     ],
///     answers: Answers { rate_limited: LIMITED, ..vendors::REST_INTEGRATIONS.answers },
///     ..vendors::REST_INTEGRATIONS
/// };
/// ```
#[derive(Debug, Clone, Copy)]
pub struct QuotaAnswer<'a> {
    /// The name of the quota, which may be one of the profile, a plan, a key or a route.
    pub quota: &'a str,
    /// The answer to requests that this quota refuses.
    pub answer: Answer<'a>,
}

/// Gives requests that are refused for one header an answer of their own: an entry of [`Answer::by_header`].
///
/// ```
/// use http::StatusCode;
/// use tower_api_key::profile::{Answer, Answers, ErrorBody, Expected, HeaderAnswer, RequiredHeader};
/// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
///
/// const NOT_ACCEPTABLE: Answer =
///     Answer::new(StatusCode::NOT_ACCEPTABLE, ErrorBody::Error("Send `Accept`."));
/// const REFUSED: Answer = Answer::new(StatusCode::BAD_REQUEST, ErrorBody::Error("Send `{header}`."))
///     .by_header(&[HeaderAnswer { header: "accept", answer: NOT_ACCEPTABLE }]);
/// let profile = Profile {
///     required_headers: &[
///         RequiredHeader { name: "accept", expected: Expected::Present },
///         RequiredHeader { name: "x-version", expected: Expected::Present },
///     ],
///     answers: Answers { header_refused: REFUSED, ..Profile::STANDARD.answers },
///     ..Profile::STANDARD
/// };
/// let layer = ApiKeyLayer::builder(profile, MemoryStore::new()).build()?;
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct HeaderAnswer<'a> {
    /// The name of the header, in any case.
    pub header: &'a str,
    /// The answer to requests that are refused for this header.
    pub answer: Answer<'a>,
}

impl<'a> Answer<'a> {
    /// Creates an answer with this status and body, without a challenge or `Retry-After`.
    pub const fn new(status: StatusCode, body: ErrorBody<'a>) -> Self {
        Self::with_number(StatusNumber::of(status), body)
    }

    /// Adds `WWW-Authenticate` with this challenge. A layer requires one on every 401 (RFC 9110
    /// §15.5.2).
    pub const fn challenge(mut self, challenge: Challenge) -> Self {
        self.challenge = challenge;
        self
    }

    /// Adds `Retry-After`, in seconds. A refusal that knows its own wait sends that instead. A 429
    /// always sends at least 1 second, except [`without_retry_after`](Self::without_retry_after).
    pub const fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Sets the status code for gRPC calls. Without a code it follows from the reason and from rows that are equal
    /// over HTTP; [`GrpcCode`] has a table. A code that you set can tell this row apart from an equal one.
    pub const fn grpc(mut self, code: GrpcCode) -> Self {
        self.grpc = Some(code);
        self
    }

    /// Sets the URL that the placeholder `{documentation_url}` stands for, in the texts of this row.
    ///
    /// ```
    /// use http::StatusCode;
    /// use tower_api_key::profile::{Answer, ErrorBody};
    ///
    /// const FORBIDDEN: Answer = Answer::new(
    ///     StatusCode::FORBIDDEN,
    ///     ErrorBody::Error("You may not do this. See {documentation_url}."),
    /// )
    /// .documentation_url("https://docs.example.com/errors#forbidden");
    /// ```
    pub const fn documentation_url(mut self, url: &'a str) -> Self {
        self.documentation_url = Some(url);
        self
    }

    /// Sets headers of this answer, by name and value. Values may have [placeholders](ErrorBody#placeholders). A
    /// header with a fact that the gate does not know is left out.
    ///
    /// [`build`](crate::ApiKeyLayerBuilder::build) refuses a name that HTTP or the gate uses for another purpose, as
    /// `Content-Type`, `Retry-After` and the profile's limit headers.
    ///
    /// ```
    /// use http::StatusCode;
    /// use tower_api_key::profile::{Answer, ErrorBody};
    ///
    /// const LIMITED: Answer =
    ///     Answer::new(StatusCode::TOO_MANY_REQUESTS, ErrorBody::Text("Slow down."))
    ///         .headers(&[("x-should-retry", "false"), ("x-limit-name", "{quota}")]);
    /// ```
    pub const fn headers(mut self, headers: &'a [(&'a str, &'a str)]) -> Self {
        self.own_headers = headers;
        self
    }

    /// Sets a function that makes headers of the facts, besides those of [`headers`](Self::headers). The gate leaves
    /// out headers that it writes itself, and those of HTTP's own.
    ///
    /// A gate with such a row keeps the method and path of each request, because the function may ask for them.
    ///
    /// ```
    /// use http::{HeaderMap, HeaderValue, StatusCode};
    /// use tower_api_key::profile::{Answer, ErrorBody, Refusal};
    ///
    /// fn wait(refusal: &Refusal<'_>) -> HeaderMap {
    ///     let milliseconds = refusal.retry_after().map(|seconds| seconds * 1_000);
    ///     let value = milliseconds.map(HeaderValue::from);
    ///     value.map(|value| ("retry-after-ms".parse().unwrap(), value)).into_iter().collect()
    /// }
    /// const LIMITED: Answer =
    ///     Answer::new(StatusCode::TOO_MANY_REQUESTS, ErrorBody::Text("Slow down."))
    ///         .headers_from(wait);
    /// ```
    pub const fn headers_from(mut self, make: fn(&Refusal<'_>) -> HeaderMap) -> Self {
        self.made_headers = Some(make);
        self
    }

    /// Returns the status code.
    pub fn status(&self) -> StatusCode {
        self.status.code()
    }

    pub(super) const fn with_number(status: StatusNumber, body: ErrorBody<'a>) -> Self {
        let (challenge, challenges) = (Challenge::None, &[]);
        Self {
            status,
            body,
            content_type: None,
            challenge,
            challenges,
            retry_after: None,
            sends_retry_after: true,
            grpc: None,
            documentation_url: None,
            own_headers: &[],
            made_headers: None,
            by_quota: &[],
            by_header: &[],
        }
    }
}
