//! Answers of their own for the paths below a prefix.

use super::answers::Answers;

/// Gives the paths below a prefix answers of their own, for a gate in front of several families of endpoints.
///
/// A prefix covers its own path and all paths below it, by whole segments: `/openai` covers `/openai` and
/// `/openai/v1/models`, but not `/openai2`. The longest prefix counts. As for [routes](crate::rules), the path is the
/// one that the client sent, and an ambiguous path has the profile's general answers. The path never changes the
/// decision.
///
/// ```
/// use http::Request;
/// use http::StatusCode;
/// use tower_api_key::clock::Timestamp;
/// use tower_api_key::profile::{Answer, Answers, Challenge, ErrorBody, PathAnswers};
/// use tower_api_key::request::Connection;
/// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
///
/// const BODY: ErrorBody = ErrorBody::CodeAndMessage { code: "invalid_api_key", message: "No." };
/// const OPENAI: Answers =
///     Answers::all(Answer::new(StatusCode::UNAUTHORIZED, BODY).challenge(Challenge::Bare));
/// let by_path = [PathAnswers { prefix: "/openai", answers: OPENAI }];
/// let profile = Profile { answers_by_path: &by_path, ..Profile::STANDARD };
/// let layer = ApiKeyLayer::builder(profile, MemoryStore::new()).build()?;
///
/// let connection = Connection::tls("192.0.2.1:4711".parse()?);
/// let request = Request::get("/openai/v1/models").body(())?;
/// let explanation = layer.explain(&request, connection, None, Timestamp::default());
/// let json = r#"{"error":{"code":"invalid_api_key","message":"No."}}"#;
/// assert_eq!(explanation.answer().unwrap().body(), json);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct PathAnswers<'a> {
    /// The prefix: an absolute path without parameters and without a slash at its end, as in `/openai`.
    pub prefix: &'a str,
    /// The answers to requests with such a path.
    pub answers: Answers<'a>,
}
