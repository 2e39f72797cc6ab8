//! The bodies of refusals.

use bytes::Bytes;
use http::HeaderValue;

use super::problem::Problem;
use super::refusal::Refusal;

/// Chooses the format and the text of a refusal's body.
///
/// # Placeholders
///
/// Every text may have placeholders, which the gate fills with the facts of the refusal:
///
/// | placeholder | fact | rows |
/// |---|---|---|
/// | `{status}` | the HTTP status of the row | all |
/// | `{method}`, `{path}` | of the request; the path is percent-encoded, and has no query | all |
/// | `{request_id}` | the id of the request | all, if the profile has [request ids](super::Profile#structfield.request_id) |
/// | `{documentation_url}` | the row's [URL](super::Answer::documentation_url) | those that set one |
/// | `{retry_after}` | `Retry-After`, in seconds | those that send it |
/// | `{scope}`, `{scopes}` | the first missing scope; all of them, as `a, b` | `scope_missing` |
/// | `{needed_scopes}` | all scopes that the request needs, held or not, as `a, b` | `scope_missing` |
/// | `{header}` | the name of the header | `header_refused` |
/// | `{problem}` | what is wrong with the header or the credential | `header_refused`, `credentials_malformed` |
/// | `{quota}`, `{remaining}`, `{window}` | the exceeded quota; the window is in seconds | `rate_limited` |
/// | `{limit}` | the limit of the quota, or of simultaneous requests | `rate_limited`, `concurrency_exceeded` |
/// | `{budget}` | the time budget, in seconds | `timed_out` |
/// | `{account}`, `{key_id}`, `{environment}` | of the key | those that answer a client with a valid key |
/// | `{masked_key}` | the presented key without its secret part, as `sk_live_****w7Xz` | those that refuse a key, or what the key may do |
/// | `{insecure_expired_at}` | when the key expired, as `2027-01-15T08:00:00Z` | `key_expired` |
///
/// `{quota|none}` writes `none` if the gate does not know the fact: too many refusals of a key are no quota, and a
/// handler can refuse a request for any reason. A `rate_limited` client may have no key, if the gate has
/// [`AnonymousQuotas`](crate::limits::AnonymousQuotas). Without an alternative the gate writes nothing there.
///
/// Write `{{` and `}}` for braces. [`build`](crate::ApiKeyLayerBuilder::build) refuses a brace that stands alone, an
/// unknown placeholder, and one that the row never fills.
///
/// Facts are escaped for their format. In plain text the gate replaces control characters, `<` and `>`. In headers it
/// percent-encodes all but blanks and visible ASCII, and `,` and `;` of a method or a path. It cuts a method or a path after 512 bytes, and
/// never inside of an escape.
///
/// `{masked_key}` has the public beginning of the key's format, and the last four characters of a key that keeps 16
/// others hidden. The gate does not know it where a handler refuses. It is the client's own key, but logs may keep
/// the answer: use it only if the vendor documents it.
///
/// A client that reads `{insecure_expired_at}` can tell an expired key from an unknown one. Use it only if the vendor
/// documents that.
///
/// A gate keeps the method and path of each request if a text has one of the two.
///
/// ```
/// use http::StatusCode;
/// use tower_api_key::profile::{Answer, Answers, ErrorBody};
/// use tower_api_key::{ApiKeyLayer, Denial, Profile, store::MemoryStore, vendors};
///
/// const BODY: ErrorBody = ErrorBody::Error("No permission.");
/// const NOT_ALLOWED: Answer = Answer::new(StatusCode::FORBIDDEN, BODY);
///
/// let answers = Answers { kind_not_allowed: NOT_ALLOWED, ..vendors::POLYTEIA.answers };
/// let profile = Profile { answers, ..vendors::POLYTEIA };
/// let layer = ApiKeyLayer::builder(profile, MemoryStore::new()).build()?;
/// assert_eq!(layer.answer(&Denial::KindNotAllowed).body(), r#"{"error":"No permission."}"#);
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum ErrorBody<'a> {
    /// No content: no `Content-Type`, and `Content-Length: 0`.
    Empty,
    /// This text, as `text/plain`.
    Text(&'a str),
    /// `{"error":"…"}`.
    Error(&'a str),
    /// `{"error":{"code":"…","message":"…"}}`.
    CodeAndMessage {
        /// A code for programs.
        code: &'a str,
        /// A sentence for people.
        message: &'a str,
    },
    /// `{"errors":[{"title":"…","details":"…"}]}`, similar to JSON:API.
    TitleAndDetails {
        /// The kind of error.
        title: &'a str,
        /// An explanation of this error.
        details: &'a str,
    },
    /// `{"code":401,"context":{},"error":"…","status":"Unauthorized"}`, with the code and the reason
    /// phrase of the answer's status.
    CodeAndContext {
        /// A sentence for people.
        error: &'a str,
    },
    /// `{"key":"…","message":"…","metadata":{},"status":403}`, with the code of the answer's status.
    KeyAndMetadata {
        /// A code for programs.
        key: &'a str,
        /// A sentence for people.
        message: &'a str,
    },
    /// A JSON value of any shape, as `application/json`. Only its strings may have placeholders.
    ///
    /// A string that is `{#status}` and nothing else becomes a number. So does every other placeholder that is a whole
    /// number. It becomes `null` if the gate does not know the fact.
    ///
    /// ```
    /// use http::StatusCode;
    /// use tower_api_key::profile::{Answer, Answers, ErrorBody};
    /// use tower_api_key::{ApiKeyLayer, Denial, Profile, store::MemoryStore};
    ///
    /// const fn forbidden(message: &'static [(&'static str, &'static str)]) -> Answer<'static> {
    ///     let shape = r#"{"error":{"code":"{#status}","message":"{message}"}}"#;
    ///     Answer::new(StatusCode::FORBIDDEN, ErrorBody::Json { shape, values: message })
    /// }
    /// let answers = Answers {
    ///     scope_missing: forbidden(&[("message", "Missing scopes: {scopes}")]),
    ///     ..Profile::STANDARD.answers
    /// };
    /// let profile = Profile { answers, ..Profile::STANDARD };
    /// let layer = ApiKeyLayer::builder(profile, MemoryStore::new()).build()?;
    /// let answer = layer.answer(&Denial::ScopeMissing { needed: "users.read".into() });
    /// assert_eq!(answer.body(), r#"{"error":{"code":403,"message":"Missing scopes: users.read"}}"#);
    /// # Ok::<(), tower_api_key::ConfigError>(())
    /// ```
    Json {
        /// The JSON value.
        shape: &'a str,
        /// Texts that the strings of the shape name in braces. gRPC calls get the text named `message`.
        values: &'a [(&'a str, &'a str)],
    },
    /// RFC 9457 problem details, as `application/problem+json`.
    Problem(Problem<'a>),
    /// The body that a function makes of the facts. The gate calls it for every refusal. The function must escape
    /// what the client chose, as the path, for the format of the body.
    ///
    /// A gate with such a row keeps the method and path of each request, because the function may ask for them.
    Custom(fn(&Refusal<'_>) -> CustomBody),
}

/// Holds a body that your own function returned, for [`ErrorBody::Custom`].
///
/// ```
/// use http::{HeaderValue, StatusCode};
/// use tower_api_key::profile::{Answer, Answers, CustomBody, ErrorBody, Refusal};
/// use tower_api_key::{ApiKeyLayer, Denial, Profile, store::MemoryStore, vendors};
///
/// fn xml(refusal: &Refusal<'_>) -> CustomBody {
///     let (code, name) = (refusal.status().as_u16(), refusal.denial().name());
///     let content = format!("<error code='{code}'>{name}</error>");
///     CustomBody { content_type: HeaderValue::from_static("text/xml"), content: content.into() }
/// }
/// const TOO_LATE: Answer = Answer::new(StatusCode::FORBIDDEN, ErrorBody::Custom(xml));
///
/// let answers = Answers { key_expired: TOO_LATE, ..vendors::POLYTEIA.answers };
/// let profile = Profile { answers, ..vendors::POLYTEIA };
/// let layer = ApiKeyLayer::builder(profile, MemoryStore::new()).build()?;
/// let answer = layer.answer(&Denial::KeyExpired);
/// assert_eq!(answer.body(), "<error code='403'>key_expired</error>");
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
#[derive(Debug, Clone)]
pub struct CustomBody {
    /// The value of `Content-Type`.
    pub content_type: HeaderValue,
    /// The bytes of the body.
    pub content: Bytes,
}
