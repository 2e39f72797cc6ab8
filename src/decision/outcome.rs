//! The outcome of one check.

use crate::error::Denial;

/// The outcome of one check.
///
/// ```
/// use http::Request;
/// use tower_api_key::clock::Timestamp;
/// use tower_api_key::decision::{Check, Outcome};
/// use tower_api_key::{ApiKeyLayer, Denial, Profile, request::Connection, store::MemoryStore};
///
/// let layer = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new()).build()?;
/// let (request, now) = (Request::new(()), Timestamp::default());
/// let explanation = layer.explain(&request, Connection::unknown(), None, now);
/// let insecure = Outcome::Refused(Denial::InsecureTransport);
/// assert_eq!(explanation.outcome(Check::Transport), &insecure);
/// assert_eq!(explanation.outcome(Check::Scope), &Outcome::NotReached);
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The request passes the check.
    Passed,
    /// The check refuses the request. The first refusal of an explanation is the answer.
    Refused(Denial),
    /// The check did not run, because the request has no usable credential, or its key has no record.
    NotReached,
    /// The outcome depends on other requests, or on the inner service.
    Depends,
}
