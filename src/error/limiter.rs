//! What the operator learns when a limiter cannot answer.

use std::error::Error;

/// Wraps the reason why a limiter cannot answer, for the operator; a client never sees it.
///
/// ```
/// use std::error::Error;
/// use tower_api_key::limits::LimiterError;
///
/// let error = LimiterError::new(std::io::Error::other("connection reset"));
/// assert_eq!(error.source().unwrap().to_string(), "connection reset");
/// ```
#[derive(Debug, thiserror::Error)]
#[error("the limiter cannot answer")]
pub struct LimiterError {
    #[source]
    source: Box<dyn Error + Send + Sync>,
}

impl LimiterError {
    /// Wraps the cause.
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: source.into() }
    }
}
