//! The bodies of refusals, rendered when the gate is built.

use crate::profile::{CustomBody, ErrorBody, Refusal};
use bytes::Bytes;
use http::{HeaderValue, StatusCode};

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

/// A body that is rendered already, or made for each refusal by the profile's function.
#[derive(Debug, Clone)]
pub(super) enum PreparedBody {
    Empty,
    Fixed(CustomBody),
    Custom(fn(&Refusal<'_>) -> CustomBody),
}

impl PreparedBody {
    /// Returns true if both are the same bytes, or are made by the same function.
    pub(super) fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Empty, Self::Empty) => true,
            (Self::Fixed(one), Self::Fixed(other)) => {
                one.content == other.content && one.content_type == other.content_type
            }
            (Self::Custom(one), Self::Custom(other)) => std::ptr::fn_addr_eq(*one, *other),
            _ => false,
        }
    }

    pub(super) fn new(body: ErrorBody<'_>, status: StatusCode) -> Self {
        let code = status.as_u16();
        let reason = quoted(status.canonical_reason().unwrap_or_default());
        let json = |content: String| (JSON, content);
        let (content_type, content) = match body {
            ErrorBody::Empty => return Self::Empty,
            ErrorBody::Custom(make) => return Self::Custom(make),
            ErrorBody::Text(text) => (TEXT, text.to_owned()),
            ErrorBody::Error(error) => json(format!(r#"{{"error":{}}}"#, quoted(error))),
            ErrorBody::CodeAndMessage { code, message } => {
                let (code, message) = (quoted(code), quoted(message));
                json(format!(r#"{{"error":{{"code":{code},"message":{message}}}}}"#))
            }
            ErrorBody::TitleAndDetails { title, details } => {
                let (title, details) = (quoted(title), quoted(details));
                json(format!(r#"{{"errors":[{{"title":{title},"details":{details}}}]}}"#))
            }
            ErrorBody::CodeAndContext { error } => {
                let error = quoted(error);
                json(format!(
                    r#"{{"code":{code},"context":{{}},"error":{error},"status":{reason}}}"#
                ))
            }
            ErrorBody::KeyAndMetadata { key, message } => {
                let (key, message) = (quoted(key), quoted(message));
                json(format!(
                    r#"{{"key":{key},"message":{message},"metadata":{{}},"status":{code}}}"#
                ))
            }
            ErrorBody::Problem { kind, title, detail } => {
                let (kind, title, detail) = (quoted(kind), quoted(title), quoted(detail));
                let content = format!(
                    r#"{{"type":{kind},"title":{title},"status":{code},"detail":{detail}}}"#
                );
                (PROBLEM, content)
            }
        };
        Self::Fixed(CustomBody { content_type, content: Bytes::from(content) })
    }
}

impl CustomBody {
    /// Returns a body without content.
    pub(super) const fn none() -> Self {
        Self { content_type: TEXT, content: Bytes::new() }
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
            let PreparedBody::Fixed(prepared) = PreparedBody::new(body, StatusCode::FORBIDDEN)
            else {
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
