//! The error of a store that cannot answer.

use std::error::Error;

/// The reason why a store cannot answer.
///
/// The operator sees it through [`Observer::store_failed`](crate::Observer::store_failed). A client never
/// sees it.
///
/// ```
/// use std::error::Error;
/// use tower_api_key::store::StoreError;
///
/// let error = StoreError::new(std::io::Error::other("connection reset"));
/// assert_eq!(error.to_string(), "the key store cannot answer: connection reset");
/// assert_eq!(error.source().unwrap().to_string(), "connection reset");
/// ```
#[derive(Debug, thiserror::Error)]
#[error("the key store cannot answer: {source}")]
pub struct StoreError {
    #[source]
    source: Box<dyn Error + Send + Sync>,
}

impl StoreError {
    /// Wraps the cause, which [`source`](Error::source) returns and the text includes.
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: source.into() }
    }
}
