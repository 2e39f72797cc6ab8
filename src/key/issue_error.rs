//! Why no key could be issued.

use std::error::Error;

/// Reports why no key could be issued.
///
/// ```
/// use tower_api_key::key::{IssueError, Issuer, KeyFormat, KeyHasher};
///
/// let issuer = Issuer::new(KeyFormat::hex(16), KeyHasher::sha256());
/// assert!(matches!(issuer.issue(None), Err(IssueError::WeakFormat { bits: 64.0 })));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// The format has too little room for randomness.
    #[error("keys of this format have {bits:.0} random bits, fewer than 128")]
    WeakFormat {
        /// The random bits of the format.
        bits: f64,
    },
    /// The format has environment tags, and the one asked for is not among them, or is missing; or
    /// it has none, and one was asked for.
    #[error("the key format has no such environment")]
    UnknownEnvironment,
    /// The random source gave no bytes; its own error is the cause.
    #[error("the random source failed")]
    Random(#[source] Box<dyn Error + Send + Sync>),
    /// The caller's random source gave bytes of which none could be used.
    #[error("the random source gives the same few bytes over and over")]
    StuckSource,
}
