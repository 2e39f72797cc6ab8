//! The bodies of refusals.

use bytes::Bytes;
use http::HeaderValue;

use super::problem::Problem;
use super::refusal::Refusal;

/// Chooses the format and the text of a refusal's body.
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
