//! The bodies of refusals, rendered when the gate is built.

use bytes::Bytes;
use http::{HeaderValue, StatusCode};

use super::escape::{TextFormat, quoted};
use super::json_body;
use super::media_type;
use super::placeholder::{Placeholder, RowFacts};
use super::problem::PreparedProblem;
use super::template::{TemplateWriter, TextTemplate};
use crate::error::ConfigError;
use crate::profile::{CustomBody, ErrorBody, Refusal};

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
pub(super) const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

/// A body that is rendered already, or made for each refusal: of a template, or by the profile's function.
#[derive(Debug, Clone)]
pub(super) enum PreparedBody {
    Empty,
    Fixed(CustomBody),
    Filled { content_type: HeaderValue, content: TextTemplate },
    Problem(Box<PreparedProblem>),
    Custom(fn(&Refusal<'_>) -> CustomBody),
}

impl PreparedBody {
    /// Renders a body as far as it does not depend on the request. `own_type` is the type that the row sets.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Answer`] if a text has a placeholder that the row cannot fill, and for a type that does not fit.
    pub(super) fn new(
        body: ErrorBody<'_>,
        own_type: Option<&str>,
        status: StatusCode,
        row: RowFacts<'_>,
    ) -> Result<Self, ConfigError> {
        let code = status.as_u16();
        let own_type = media_type::checked(own_type, body, row)?;
        let (usual_type, format) = match body {
            ErrorBody::Empty => return Ok(Self::Empty),
            ErrorBody::Custom(make) => return Ok(Self::Custom(make)),
            ErrorBody::Text(_) if own_type.is_some() => (TEXT, TextFormat::Markup),
            ErrorBody::Text(_) => (TEXT, TextFormat::Plain),
            ErrorBody::Problem(problem) => {
                return PreparedProblem::new(problem, code, row).map(Self::of_problem);
            }
            _ => (JSON, TextFormat::Json),
        };
        let content_type = own_type.unwrap_or(usual_type);
        let mut writer = TemplateWriter::new(format, row);
        match body {
            ErrorBody::Empty | ErrorBody::Problem(_) | ErrorBody::Custom(_) => {}
            ErrorBody::Text(text) => {
                writer.text(text)?;
            }
            ErrorBody::Error(error) => {
                writer.syntax(r#"{"error":""#).text(error)?.syntax(r#""}"#);
            }
            ErrorBody::CodeAndMessage { code, message } => {
                writer.syntax(r#"{"error":{"code":""#).text(code)?;
                writer.syntax(r#"","message":""#).text(message)?.syntax(r#""}}"#);
            }
            ErrorBody::TitleAndDetails { title, details } => {
                writer.syntax(r#"{"errors":[{"title":""#).text(title)?;
                writer.syntax(r#"","details":""#).text(details)?.syntax(r#""}]}"#);
            }
            ErrorBody::CodeAndContext { error } => {
                writer.syntax(&format!(r#"{{"code":{code},"context":{{}},"error":""#));
                let reason = quoted(status.canonical_reason().unwrap_or_default());
                writer.text(error)?.syntax(&format!(r#"","status":{reason}}}"#));
            }
            ErrorBody::KeyAndMetadata { key, message } => {
                writer.syntax(r#"{"key":""#).text(key)?;
                writer.syntax(r#"","message":""#).text(message)?;
                writer.syntax(&format!(r#"","metadata":{{}},"status":{code}}}"#));
            }
            ErrorBody::Json { shape, values } => {
                writer = writer.with_values(values);
                json_body::write(&mut writer, shape, values)?;
            }
        }
        let content = writer.finish();
        Ok(match content.fixed() {
            Some(fixed) => {
                let content = Bytes::copy_from_slice(fixed.as_bytes());
                Self::Fixed(CustomBody { content_type, content })
            }
            None => Self::Filled { content_type, content },
        })
    }

    fn of_problem(problem: PreparedProblem) -> Self {
        match problem.fixed() {
            Some(text) => Self::Fixed(CustomBody { content_type: PROBLEM, content: text.into() }),
            None => Self::Problem(Box::new(problem)),
        }
    }

    /// Returns true if both can be the same bytes. The addresses of functions compare nothing.
    pub(super) fn may_equal(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Fixed(one), Self::Fixed(other)) => {
                one.content == other.content && one.content_type == other.content_type
            }
            (Self::Empty, Self::Fixed(_)) | (Self::Fixed(_), Self::Empty) => false,
            // A text that is filled for each request, or that a function makes, can be any.
            _ => true,
        }
    }

    /// Returns true if the body may have such a fact. A function may ask for each.
    pub(super) fn speaks_of(&self, is_meant: fn(Placeholder) -> bool) -> bool {
        match self {
            Self::Empty | Self::Fixed(_) => false,
            Self::Filled { content, .. } => content.speaks_of(is_meant),
            Self::Problem(problem) => problem.speaks_of(is_meant),
            Self::Custom(_) => true,
        }
    }
}

impl CustomBody {
    /// Returns a body without content.
    pub(super) const fn none() -> Self {
        let content_type = HeaderValue::from_static("application/octet-stream");
        Self { content_type, content: Bytes::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Problem;

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
                ErrorBody::Problem(Problem::new(kind, title, detail)),
                PROBLEM,
                format!(
                    r#"{{"type":"about:blank","title":"Denied","status":403,"detail":{escaped}}}"#
                ),
            ),
        ] {
            let row = RowFacts::of("route_unknown");
            let Ok(PreparedBody::Fixed(prepared)) =
                PreparedBody::new(body, None, StatusCode::FORBIDDEN, row)
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
