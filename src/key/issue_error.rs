//! Errors of an issuer.

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
    /// The keys of the format have too few random bits.
    #[error(
        "keys of this format have {bits:.0} random bits, fewer than 128: add random characters"
    )]
    WeakFormat {
        /// The number of random bits in a key.
        bits: f64,
    },
    /// The format has no such environment. Or it has environments, and none was named.
    #[error(
        "the key format does not have this environment: name one of its tags, or no environment if it has no tags"
    )]
    UnknownEnvironment,
    /// The random source returned an error, which is the source of this one.
    #[error("the random source failed, so no key was issued")]
    Random(#[source] Box<dyn Error + Send + Sync>),
    /// The caller's random source returned 64 bytes that stand for no character of the key.
    #[error("the random source returned 64 bytes that stand for no character: use another source")]
    StuckSource,
}
