//! Mistakes in one answer of a profile.

/// The error for an answer of a profile that no gate can send. The text names the row, the field and the remedy.
///
/// ```
/// use http::StatusCode;
/// use tower_api_key::profile::{Answer, Answers, ErrorBody};
/// use tower_api_key::{ApiKeyLayer, ConfigError, Profile, store::MemoryStore};
///
/// const ACCEPTED: Answer = Answer::new(StatusCode::ACCEPTED, ErrorBody::Text("No."));
/// let profile = Profile { answers: Answers::all(ACCEPTED), ..Profile::STANDARD };
/// let refused = ApiKeyLayer::builder(profile, MemoryStore::new()).build();
/// assert!(matches!(refused, Err(ConfigError::Answer(_))));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidAnswer {
    /// A 401 answer has no challenge. RFC 9110 §15.5.2 requires one.
    #[error(
        "the 401 answer `{answer}` of the profile has no challenge: add one with `Answer::challenge`"
    )]
    ChallengeMissing {
        /// The row of [`Answers`](crate::profile::Answers).
        answer: &'static str,
    },
    /// The answer to a denial does not have an error status.
    #[error(
        "the answer `{answer}` of the profile has status {status}, which is no error status: set one from 400 to \
         599, or use `Answer::insecure_success` if the vendor refuses with 200"
    )]
    StatusNotRefusing {
        /// The row of [`Answers`](crate::profile::Answers).
        answer: &'static str,
        /// The status code.
        status: u16,
    },
    /// A field of the answer has a value that HTTP or its own format does not allow, or that contradicts another.
    #[error("the answer `{answer}` of the profile, `{field}`, value `{}`: {problem}", .value.escape_debug())]
    Field {
        /// The row of [`Answers`](crate::profile::Answers).
        answer: &'static str,
        /// The part of the answer.
        field: &'static str,
        /// The value as configured.
        value: String,
        /// The problem and its remedy.
        problem: &'static str,
    },
}
