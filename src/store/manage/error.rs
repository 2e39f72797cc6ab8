//! Why a change was not made.

use super::filter::KeyState;
use crate::error::StoreError;
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
    /// The key is in this state, in which a new secret would not serve.
    #[error("the key is {}, so a new secret would not serve: {}", .0.name(), remedy(*.0))]
    NotActive(KeyState),
    /// The change would make a record that is not valid.
    #[error(transparent)]
    Invalid(#[from] InvalidRecord),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Says what helps a key to a new secret.
const fn remedy(state: KeyState) -> &'static str {
    match state {
        KeyState::Active => "ask again",
        KeyState::Disabled => "switch it and its account on first",
        KeyState::Revoked => "it is revoked for good, issue another key",
        KeyState::Expired => "let it end later first, or issue another key",
    }
}
