//! The bodies that vendors send with a refusal.

use bytes::Bytes;
use http::{HeaderValue, StatusCode};

use crate::error::Denial;

/// Chooses the form of a refusal's body, and its words.
///
/// ```
/// # use http::StatusCode;
/// # use tower_api_key::{ApiKeyLayer, Denial, Profile, store::MemoryStore, vendors};
/// use tower_api_key::profile::{Answer, Answers, ErrorBody};
///
/// const BODY: ErrorBody = ErrorBody::Error("No permission.");
/// const NOT_ALLOWED: Answer = Answer::new(StatusCode::FORBIDDEN, BODY);
/// let answers = Answers { kind_not_allowed: NOT_ALLOWED, ..vendors::POLYTEIA.answers };
/// # let profile = Profile { answers, ..vendors::POLYTEIA };
/// # let layer = ApiKeyLayer::builder(profile, MemoryStore::new()).build()?;
/// assert_eq!(layer.answer(&Denial::KindNotAllowed).body(), r#"{"error":"No permission."}"#);
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum ErrorBody<'a> {
    /// The text itself, as `text/plain`.
    Text(&'a str),
    /// `{"error":"…"}`.
    Error(&'a str),
    /// `{"error":{"code":"…","message":"…"}}`.
    CodeAndMessage {
        /// A word for programs.
        code: &'a str,
        /// A sentence for people.
        message: &'a str,
    },
    /// `{"errors":[{"title":"…","details":"…"}]}`, after JSON:API.
    TitleAndDetails {
        /// The kind of error.
        title: &'a str,
        /// This error.
        details: &'a str,
    },
    /// `{"code":401,"context":{},"error":"…","status":"Unauthorized"}`, the numbers being the
    /// answer's own.
    CodeAndContext {
        /// A sentence for people.
        error: &'a str,
    },
    /// `{"key":"…","message":"…","metadata":{},"status":403}`, the number being the answer's own.
    KeyAndMetadata {
        /// A word for programs.
        key: &'a str,
        /// A sentence for people.
        message: &'a str,
    },
    /// RFC 9457 problem details, as `application/problem+json`.
    Problem {
        /// A URI reference for the kind of problem; `about:blank` for none.
        kind: &'a str,
        /// A short summary of the kind.
        title: &'a str,
        /// An explanation of this problem.
        detail: &'a str,
    },
    /// Whatever a function makes of the reason. It runs on every refusal, and must not put the
    /// request's bytes into the body.
    Custom(fn(&Denial, StatusCode) -> CustomBody),
}

/// Holds a body that a function of the user's own made, for [`ErrorBody::Custom`].
///
/// ```
/// # use http::{HeaderValue, StatusCode};
/// # use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore, vendors};
/// use tower_api_key::Denial;
/// use tower_api_key::profile::{Answer, Answers, CustomBody, ErrorBody};
///
/// fn xml(denial: &Denial, status: StatusCode) -> CustomBody {
///     let content = format!("<error code='{}'>{}</error>", status.as_u16(), denial.name());
///     CustomBody { content_type: HeaderValue::from_static("text/xml"), content: content.into() }
/// }
/// const TOO_LATE: Answer = Answer::new(StatusCode::FORBIDDEN, ErrorBody::Custom(xml));
/// # let answers = Answers { key_expired: TOO_LATE, ..vendors::POLYTEIA.answers };
/// # let profile = Profile { answers, ..vendors::POLYTEIA };
/// # let layer = ApiKeyLayer::builder(profile, MemoryStore::new()).build()?;
/// let answer = layer.answer(&Denial::KeyExpired);
/// assert_eq!(answer.body(), "<error code='403'>key_expired</error>");
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
#[derive(Debug, Clone)]
pub struct CustomBody {
    /// The media type.
    pub content_type: HeaderValue,
    /// The content.
    pub content: Bytes,
}
