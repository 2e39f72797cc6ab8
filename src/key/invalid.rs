//! What can be wrong with a record or an account.

use super::name::{Environment, InvalidName};
use super::network::InvalidNetwork;
use super::text::InvalidText;
use crate::quota::InvalidQuota;

/// Reports a record or an account with a part that is not valid.
///
/// ```
/// use tower_api_key::key::{Account, InvalidRecord, KeyRecord};
///
/// let acme = Account::builder("acme").build()?;
/// let error = KeyRecord::builder("key_1", acme).networks(["10.0.0.0/33"]).build().unwrap_err();
/// assert!(matches!(error, InvalidRecord::Network(_)));
/// # Ok::<(), InvalidRecord>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRecord {
    /// A name with characters that it may not have.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// A text with characters that mislead whoever reads it.
    #[error(transparent)]
    Text(#[from] InvalidText),
    /// A network that is not in CIDR notation.
    #[error(transparent)]
    Network(#[from] InvalidNetwork),
    /// A quota that cannot be counted.
    #[error(transparent)]
    Quota(#[from] InvalidQuota),
    /// The key's text names another environment than the record, or the record names none.
    #[error(
        "the key's text names the environment `{text}`, and the record {}; they must agree",
        record.as_ref().map_or("none".to_owned(), |record| format!("`{record}`"))
    )]
    Environment {
        /// What the text names.
        text: Environment,
        /// What the record names.
        record: Option<Environment>,
    },
    /// A change that would make the record one of another key or account.
    #[error("an edit changes neither the id nor the account of a key")]
    Identity,
}
