//! Answers of their own for single required headers.

use super::answer::Answer;

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
    /// Sets answers for single headers. Other headers have this answer. Only the row
    /// [`header_refused`](super::Answers::header_refused) may have them.
    ///
    /// [`build`](crate::ApiKeyLayerBuilder::build) refuses a header that is listed twice, one that the profile has no
    /// rule for, and an answer that has such a list itself.
    pub const fn by_header(mut self, answers: &'a [HeaderAnswer<'a>]) -> Self {
        self.by_header = answers;
        self
    }
}
