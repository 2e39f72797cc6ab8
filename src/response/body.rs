//! The bodies that vendors send with a refusal.

use bytes::Bytes;
use http::{HeaderValue, StatusCode};

use crate::error::Denial;

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

/// Chooses the form of a refusal's body, and its words.
///
/// ```
/// # use http::StatusCode;
/// # use tower_api_key::{ApiKeyLayer, Denial, Profile, store::MemoryStore, vendors};
/// use tower_api_key::response::{Answer, Answers, ErrorBody};
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
pub enum ErrorBody {
    /// The text itself, as `text/plain`.
    Text(&'static str),
    /// `{"error":"…"}`.
    Error(&'static str),
    /// `{"error":{"code":"…","message":"…"}}`.
    CodeAndMessage {
        /// A word for programs.
        code: &'static str,
        /// A sentence for people.
        message: &'static str,
    },
    /// `{"errors":[{"title":"…","details":"…"}]}`, after JSON:API.
    TitleAndDetails {
        /// The kind of error.
        title: &'static str,
        /// This error.
        details: &'static str,
    },
    /// `{"code":401,"context":{},"error":"…","status":"Unauthorized"}`, the numbers being the
    /// answer's own.
    CodeAndContext {
        /// A sentence for people.
        error: &'static str,
    },
    /// `{"key":"…","message":"…","metadata":{},"status":403}`, the number being the answer's own.
    KeyAndMetadata {
        /// A word for programs.
        key: &'static str,
        /// A sentence for people.
        message: &'static str,
    },
    /// RFC 9457 problem details, as `application/problem+json`.
    Problem {
        /// A URI reference for the kind of problem; `about:blank` for none.
        kind: &'static str,
        /// A short summary of the kind.
        title: &'static str,
        /// An explanation of this problem.
        detail: &'static str,
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
/// use tower_api_key::response::{Answer, Answers, CustomBody, ErrorBody};
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

/// A body that is rendered as far as it can be without a request.
#[derive(Debug, Clone)]
pub(super) enum PreparedBody {
    Fixed(CustomBody),
    Custom(fn(&Denial, StatusCode) -> CustomBody),
}

impl ErrorBody {
    pub(super) fn prepare(self, status: StatusCode) -> PreparedBody {
        let code = status.as_u16();
        let reason = quoted(status.canonical_reason().unwrap_or_default());
        let json = |content: String| (JSON, content);
        let (content_type, content) = match self {
            Self::Custom(make) => return PreparedBody::Custom(make),
            Self::Text(text) => (TEXT, text.to_owned()),
            Self::Error(error) => json(format!(r#"{{"error":{}}}"#, quoted(error))),
            Self::CodeAndMessage { code, message } => {
                let (code, message) = (quoted(code), quoted(message));
                json(format!(r#"{{"error":{{"code":{code},"message":{message}}}}}"#))
            }
            Self::TitleAndDetails { title, details } => {
                let (title, details) = (quoted(title), quoted(details));
                json(format!(r#"{{"errors":[{{"title":{title},"details":{details}}}]}}"#))
            }
            Self::CodeAndContext { error } => {
                let error = quoted(error);
                json(format!(
                    r#"{{"code":{code},"context":{{}},"error":{error},"status":{reason}}}"#
                ))
            }
            Self::KeyAndMetadata { key, message } => {
                let (key, message) = (quoted(key), quoted(message));
                json(format!(
                    r#"{{"key":{key},"message":{message},"metadata":{{}},"status":{code}}}"#
                ))
            }
            Self::Problem { kind, title, detail } => {
                let (kind, title, detail) = (quoted(kind), quoted(title), quoted(detail));
                let content = format!(
                    r#"{{"type":{kind},"title":{title},"status":{code},"detail":{detail}}}"#
                );
                (PROBLEM, content)
            }
        };
        PreparedBody::Fixed(CustomBody { content_type, content: Bytes::from(content) })
    }
}

/// Writes a JSON string (RFC 8259 §7).
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_written_as_documented() {
        let nasty = "a \"b\" \\ \n é";
        let escaped = r#""a \"b\" \\ \n é""#;
        let (code, message) = ("denied", nasty);
        let (kind, title, detail) = ("about:blank", "Denied", nasty);
        for (body, content_type, expected) in [
            (ErrorBody::Text(nasty), TEXT, nasty.to_owned()),
            (ErrorBody::Error(nasty), JSON, format!(r#"{{"error":{escaped}}}"#)),
            (
                ErrorBody::CodeAndMessage { code, message },
                JSON,
                format!(r#"{{"error":{{"code":"denied","message":{escaped}}}}}"#),
            ),
            (
                ErrorBody::TitleAndDetails { title, details: nasty },
                JSON,
                format!(r#"{{"errors":[{{"title":"Denied","details":{escaped}}}]}}"#),
            ),
            (
                ErrorBody::CodeAndContext { error: nasty },
                JSON,
                format!(r#"{{"code":403,"context":{{}},"error":{escaped},"status":"Forbidden"}}"#),
            ),
            (
                ErrorBody::KeyAndMetadata { key: code, message },
                JSON,
                format!(r#"{{"key":"denied","message":{escaped},"metadata":{{}},"status":403}}"#),
            ),
            (
                ErrorBody::Problem { kind, title, detail },
                PROBLEM,
                format!(
                    r#"{{"type":"about:blank","title":"Denied","status":403,"detail":{escaped}}}"#
                ),
            ),
        ] {
            let PreparedBody::Fixed(prepared) = body.prepare(StatusCode::FORBIDDEN) else {
                panic!("{body:?} is not custom")
            };
            assert_eq!(prepared.content_type, content_type);
            assert_eq!(prepared.content, expected.as_bytes(), "{body:?}");
            if content_type != TEXT {
                serde_json::from_slice::<serde_json::Value>(&prepared.content).unwrap();
            }
        }
    }
}
