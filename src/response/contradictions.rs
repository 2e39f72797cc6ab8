//! Contradictions inside of one answer.

use http::StatusCode;

use crate::error::ConfigError;
use crate::profile::{Answer, Challenge, ErrorBody};

/// Refuses an answer that does not refuse, that lacks what its status needs, or whose body cannot show it.
///
/// # Errors
///
/// [`ConfigError`].
pub(super) fn check(row: &'static str, answer: &Answer<'_>) -> Result<(), ConfigError> {
    let Answer { status, body, challenge, challenges, .. } = *answer;
    if !status.is_refusing() {
        return Err(ConfigError::StatusNotRefusing { answer: row, status: status.number() });
    }
    let unauthorized = status.code() == StatusCode::UNAUTHORIZED;
    if unauthorized && challenge == Challenge::None && challenges.is_empty() {
        return Err(ConfigError::ChallengeMissing { answer: row });
    }
    let problem = match body {
        ErrorBody::Empty | ErrorBody::Text("") if status.is_success() => {
            "a client cannot tell a refusal with status 200 and without a body from a success: choose another body"
        }
        ErrorBody::CodeAndContext { .. } if status.code().canonical_reason().is_none() => {
            "the body has the reason phrase of the status, and this status is not registered: choose another body"
        }
        _ => return Ok(()),
    };
    let (part, problem) = (format!("status {}", status.number()), problem.to_owned());
    Err(ConfigError::Answer { answer: row, part, problem })
}
