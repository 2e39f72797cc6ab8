//! Why a change was not made.

use super::super::error::StoreError;
use crate::key::InvalidRecord;

/// Says why a store did not do what it was asked to; nothing was changed.
///
/// ```
/// use tower_api_key::store::ManageError;
///
/// assert_eq!(ManageError::NotFound.to_string(), "there is no such key or account");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManageError {
    /// There is no key, or no account, of this id.
    #[error("there is no such key or account")]
    NotFound,
    /// There is a key of this id already, or one with this secret.
    #[error("there is such a key already")]
    Exists,
    /// The change would make a record that is not valid.
    #[error(transparent)]
    Invalid(#[from] InvalidRecord),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
