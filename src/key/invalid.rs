//! Errors of records and accounts.

use super::name::{Environment, InvalidName};
use super::network::InvalidNetwork;
use super::text::InvalidText;
use crate::quota::InvalidQuota;

/// Reports a part of a record or an account that is not valid.
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
    /// A text that is too long, or has characters that mislead its reader.
    #[error(transparent)]
    Text(#[from] InvalidText),
    /// A network that is not in CIDR notation.
    #[error(transparent)]
    Network(#[from] InvalidNetwork),
    /// A quota that cannot be counted.
    #[error(transparent)]
    Quota(#[from] InvalidQuota),
    /// The key's text names another environment than the record.
    #[error(
        "the key's text names the environment `{text}`, but the record has `{record}`: set the record's \
        environment to `{text}`"
    )]
    Environment {
        /// The environment that the text names.
        text: Environment,
        /// The environment of the record.
        record: Environment,
    },
    /// The author of a change has a name that the store gives to changes of its own tasks: see
    /// [`RESERVED_AUTHORS`](crate::store::RESERVED_AUTHORS).
    #[error(
        "the author of a change cannot be `{0}`, which names changes that a task of the store makes: use another name"
    )]
    ReservedAuthor(&'static str),
    /// A change of the key's id or account.
    #[error("a key cannot change its id or its account: issue another key")]
    Identity,
}
