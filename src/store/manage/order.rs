//! The order of a list of keys, and places in it.

use std::fmt;

use crate::clock::Timestamp;
use crate::key::KeyRecord;

/// The order of a list of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum KeyOrder {
    /// By id, in the order of its bytes. Ids of version 7 of UUIDs are in the order of their creation.
    #[default]
    Id,
    /// By name in the order of its bytes, then by id.
    Name,
    /// By expiry, the soonest first, then by id. The list leaves out keys without an expiry.
    Expiry,
}

/// A place in a list of keys: the list goes on behind it. It stays valid if the key at the place is changed or deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum KeyPosition<'a> {
    /// Behind a key with this id.
    Id(&'a str),
    /// Behind a key with this name and this id.
    Name(&'a str, &'a str),
    /// Behind a key with this expiry and this id.
    Expiry(Timestamp, &'a str),
}

impl fmt::Display for KeyPosition<'_> {
    /// Writes the text that [`KeyOrder::after`] returns.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => formatter.write_str(id),
            // No id and no name has a line break.
            Self::Name(name, id) => write!(formatter, "{id}\n{name}"),
            Self::Expiry(at, id) => write!(formatter, "{id}\n{}", at.unix_nanoseconds()),
        }
    }
}

impl KeyOrder {
    /// Returns the text that continues a list behind a key: the `after` of
    /// [`KeyManager::list`](super::KeyManager::list). In the order of ids it is the id.
    ///
    /// ```
    /// use tower_api_key::key::{Account, KeyRecord};
    /// use tower_api_key::store::{KeyOrder, KeyPosition};
    ///
    /// let acme = Account::builder("acme").build()?;
    /// let record = KeyRecord::builder("key_1", acme).name("backup job").build()?;
    /// assert_eq!(KeyOrder::Id.after(&record), "key_1");
    /// let place = KeyOrder::Name.after(&record);
    /// assert_eq!(KeyOrder::Name.position(&place), Some(KeyPosition::Name("backup job", "key_1")));
    /// assert_eq!(KeyOrder::Name.position("key_1"), None);
    /// # Ok::<(), tower_api_key::key::InvalidRecord>(())
    /// ```
    pub fn after(self, record: &KeyRecord) -> String {
        self.place(record).to_string()
    }

    /// Reads the text that [`after`](Self::after) returns. Returns `None` if it belongs to another order.
    pub fn position(self, after: &str) -> Option<KeyPosition<'_>> {
        if self == Self::Id {
            return Some(KeyPosition::Id(after));
        }
        let (id, place) = after.split_once('\n')?;
        match self {
            Self::Expiry => {
                let expires = place.parse().map(Timestamp::from_unix_nanoseconds).ok()?;
                Some(KeyPosition::Expiry(expires, id))
            }
            _ => Some(KeyPosition::Name(place, id)),
        }
    }

    /// Returns the place of a key.
    pub(crate) fn place(self, record: &KeyRecord) -> KeyPosition<'_> {
        let id = record.id().as_str();
        match self {
            Self::Id => KeyPosition::Id(id),
            Self::Name => KeyPosition::Name(record.name(), id),
            Self::Expiry => KeyPosition::Expiry(record.expires().unwrap_or(Timestamp::MAX), id),
        }
    }
}
