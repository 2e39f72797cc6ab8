//! Who is charged for a request.

use super::network::ClientNetwork;
use crate::key::KeyRecord;

/// Who is charged for a request: a key and its account, or the network of an anonymous client.
///
/// A limiter needs a counter's name for each. Any text can be the id of an account, so the name must say which of
/// the two it is:
///
/// ```
/// use tower_api_key::caller::{Caller, ClientNetwork};
/// use tower_api_key::key::{Account, KeyRecord};
///
/// fn counter(caller: Caller<'_>) -> String {
///     match caller {
///         Caller::Key(record) => format!("account:{}", record.account().id()),
///         Caller::Network(network) => format!("network:{network}"),
///     }
/// }
///
/// let record = KeyRecord::builder("key_1", Account::builder("192.0.2.7/32").build()?).build()?;
/// let network = ClientNetwork::of("192.0.2.7".parse()?);
/// assert_ne!(counter(Caller::Key(&record)), counter(Caller::Network(&network)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub enum Caller<'a> {
    /// A valid key. Each quota counts the requests of the key, or of its account.
    Key(&'a KeyRecord),
    /// The network of a client without a key. Each quota counts the requests of the network.
    Network(&'a ClientNetwork),
}

impl<'a> Caller<'a> {
    /// Returns the key's record; `None` for an anonymous client.
    pub const fn record(self) -> Option<&'a KeyRecord> {
        match self {
            Self::Key(record) => Some(record),
            Self::Network(_) => None,
        }
    }
}
