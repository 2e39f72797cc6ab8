//! A key as those see it who manage it.

use super::filter::KeyState;
use crate::clock::Timestamp;
use crate::key::{KeyDigest, KeyRecord};

/// Describes a key with its secrets: the newest, those that still serve after a rotation, and as the
/// store likes some that have ended.
///
/// What becomes of a secret that has ended is the store's choice: a lookup finds the key as expired, or
/// finds no key, and a gate refuses both alike. The stores of this crate keep it for 30 days, or what is
/// set, and of one key the 32 that ended last.
///
/// ```
/// # use tower_api_key::clock::Timestamp;
/// # use tower_api_key::key::{Account, KeyHasher, KeyRecord};
/// use tower_api_key::store::{KeyEntry, KeyState, SecretEntry};
///
/// # let acme = Account::builder("acme").build()?;
/// # let at = Timestamp::from_unix_seconds;
/// let record = KeyRecord::builder("key_1", acme).expires(at(2_000)).build()?;
/// let secret = SecretEntry::new(KeyHasher::sha256().digest(b"the key's text"), at(1_000));
/// let entry = KeyEntry { record, created: at(1_000), secrets: vec![secret] };
/// assert_eq!(entry.state(at(1_999)), KeyState::Active);
/// assert_eq!(entry.state(at(2_000)), KeyState::Expired);
/// # Ok::<(), tower_api_key::key::InvalidRecord>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct KeyEntry {
    /// The record, with the key's own expiry; a secret may end before it.
    pub record: KeyRecord,
    /// When the key was made.
    pub created: Timestamp,
    /// Its secrets, the newest first; at least those that serve.
    pub secrets: Vec<SecretEntry>,
}

/// Describes a secret of a key, by its digest.
///
/// ```
/// # use tower_api_key::clock::Timestamp;
/// # use tower_api_key::key::KeyHasher;
/// use tower_api_key::store::SecretEntry;
///
/// let now = Timestamp::from_unix_seconds(1_000);
/// let secret = SecretEntry::new(KeyHasher::sha256().digest(b"the key's text"), now);
/// assert!(secret.expires.is_none() && secret.last_used.is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecretEntry {
    /// The digest.
    pub digest: KeyDigest,
    /// When it was made.
    pub created: Timestamp,
    /// The first instant at which it serves no more; `None` leaves the key's own expiry.
    pub expires: Option<Timestamp>,
    /// When it was last used, to the minute; `None` if it never was, or nobody noted it.
    pub last_used: Option<Timestamp>,
}

impl SecretEntry {
    /// Describes a secret that was just made.
    pub const fn new(digest: KeyDigest, created: Timestamp) -> Self {
        Self { digest, created, expires: None, last_used: None }
    }
}

impl KeyEntry {
    /// Returns the state of the key at an instant.
    pub fn state(&self, now: Timestamp) -> KeyState {
        KeyState::of(&self.record, now)
    }

    /// Returns when one of the key's secrets was last used.
    pub fn last_used(&self) -> Option<Timestamp> {
        self.secrets.iter().filter_map(|secret| secret.last_used).max()
    }
}
