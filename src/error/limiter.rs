//! The error of a limiter that cannot answer.

use std::error::Error;

/// The reason why a limiter of requests or of simultaneous requests cannot answer.
///
/// The operator sees it through the [`Observer`](crate::Observer). A client never sees it.
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
    /// Wraps the cause, which [`source`](Error::source) returns.
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: source.into() }
    }
}
