//! The media type that a row sets for its body.

use http::HeaderValue;

use super::placeholder::RowFacts;
use crate::error::ConfigError;
use crate::profile::ErrorBody;

/// Checks the type that a row sets for its body.
///
/// # Errors
///
/// [`ConfigError::Answer`] for a value that is no media type (RFC 9110 §8.3.1), and for a body that takes none.
pub(super) fn checked(
    media_type: Option<&str>,
    body: ErrorBody<'_>,
    row: RowFacts<'_>,
) -> Result<Option<HeaderValue>, ConfigError> {
    let Some(text) = media_type else { return Ok(None) };
    let problem = match body {
        ErrorBody::Empty => "a body without content has no type: choose another body",
        ErrorBody::Problem(_) => {
            "problem details have a type of their own: write the members as `ErrorBody::Json`"
        }
        ErrorBody::Custom(_) => "the function returns the type: remove it here",
        _ => match HeaderValue::from_str(text) {
            Ok(value) if is_media_type(text) => return Ok(Some(value)),
            _ => "it is no media type: write it as `text/html; charset=utf-8`",
        },
    };
    let part = format!("content type `{}`", text.escape_debug());
    Err(ConfigError::Answer { answer: row.row, part, problem: problem.to_owned() })
}

/// Returns true for `type/subtype`, and for parameters of visible ASCII after it.
fn is_media_type(text: &str) -> bool {
    let (essence, parameters) = text.split_once(';').unwrap_or((text, ""));
    let is_token = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    let is_named = essence
        .split_once('/')
        .is_some_and(|(kind, name)| is_token(kind) && is_token(name.trim_ascii_end()));
    let is_visible = parameters.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    is_named && is_visible && text.trim_ascii() == text && !text.ends_with(';')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Problem;

    #[test]
    fn types_and_the_bodies_that_take_them() {
        let text = ErrorBody::Text("<b>No.</b>");
        let problem = ErrorBody::Problem(Problem::new("about:blank", "No.", ""));
        for (media_type, body, fits) in [
            ("text/html", text, true),
            ("text/html; charset=utf-8", text, true),
            ("application/vnd.acme+json ;v=1", ErrorBody::Error("No."), true),
            ("text", text, false),
            ("text/", text, false),
            ("/html", text, false),
            ("text/ html", text, false),
            ("text/html;", text, false),
            (" text/html", text, false),
            ("text/html\r\nx: y", text, false),
            ("text/html; a=\u{e9}", text, false),
            ("text/html", ErrorBody::Empty, false),
            ("text/html", problem, false),
        ] {
            let checked = checked(Some(media_type), body, RowFacts::of("key_unknown"));
            assert_eq!(checked.is_ok(), fits, "{media_type:?} {body:?}");
        }
    }
}
