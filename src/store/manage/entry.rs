//! A key and its secrets, as management shows them.

use ipnet::IpNet;

use super::state::KeyState;
use crate::clock::Timestamp;
use crate::key::{KeyDigest, KeyRecord, PepperName, SecretTail};
use crate::policy::KeyDates;

/// A key with its secrets: the newest one, and those that are still valid after a rotation.
///
/// A store may also keep secrets that have expired. A lookup by an expired secret finds the key as expired,
/// or finds no key. A gate refuses the request in both cases. The stores of this project keep an expired
/// secret for 30 days unless set. They keep at most the newest 32 expired secrets of one key.
///
/// ```
/// use tower_api_key::clock::Timestamp;
/// use tower_api_key::key::{Account, KeyHasher, KeyRecord};
/// use tower_api_key::store::{KeyEntry, KeyState, SecretEntry};
///
/// let at = Timestamp::from_unix_seconds;
/// let acme = Account::builder("acme").build()?;
/// let record = KeyRecord::builder("key_1", acme).expires(at(2_000)).build()?;
/// let secret = SecretEntry::new(KeyHasher::sha256().digest(b"the key's text"), at(1_000));
/// let entry = KeyEntry::new(record, at(1_000), vec![secret]);
/// assert_eq!(entry.state(at(1_999)), KeyState::Active);
/// assert_eq!(entry.state(at(2_000)), KeyState::Expired);
/// # Ok::<(), tower_api_key::key::InvalidRecord>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct KeyEntry {
    /// The record, with the key's own expiry. A secret may expire earlier.
    pub record: KeyRecord,
    /// When the key was added.
    pub created: Timestamp,
    /// The secrets, newest first. All valid secrets are in the list.
    pub secrets: Vec<SecretEntry>,
    /// The network of the client whose request with this key a gate admitted last: an IPv4 `/24` or an IPv6 `/48`.
    /// `None` if there was none, if the client's address could not be determined, or if no usage is recorded.
    pub last_network: Option<IpNet>,
}

/// A secret of a key, identified by its digest.
///
/// ```
/// use tower_api_key::clock::Timestamp;
/// use tower_api_key::key::KeyHasher;
/// use tower_api_key::store::SecretEntry;
///
/// let now = Timestamp::from_unix_seconds(1_000);
/// let secret = SecretEntry::new(KeyHasher::sha256().digest(b"the key's text"), now);
/// assert!(secret.expires.is_none() && secret.last_used.is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecretEntry {
    /// The digest of the secret.
    pub digest: KeyDigest,
    /// When the secret was made.
    pub created: Timestamp,
    /// The first instant at which the secret is no longer valid. With `None` only the key's own expiry
    /// applies.
    pub expires: Option<Timestamp>,
    /// When the secret was last used, to the minute. `None` if it was never used, or uses are not recorded.
    ///
    /// A use is a request with the secret of a key that is valid then. The store does not learn how the rules and limits
    /// decided: with the feature `usage`, `UsageReader::last_use` says when a key was last admitted.
    pub last_used: Option<Timestamp>,
    /// The name of the pepper in the digest. `None` without a [keyring](crate::key::Peppers).
    pub pepper: Option<PepperName>,
    /// The last characters of the secret. `None` unless the issuer [keeps tails](crate::key::Issuer::keep_tails).
    pub tail: Option<SecretTail>,
    /// The digests of the same secret by earlier peppers, as long as lookups find them.
    pub formers: Vec<FormerDigest>,
}

/// A digest of a secret by an earlier pepper, by which the secret is still found for
/// [one day](super::FORMER_DIGEST_KEPT).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormerDigest {
    /// The digest.
    pub digest: KeyDigest,
    /// The name of the pepper in the digest.
    pub pepper: Option<PepperName>,
    /// When the secret got a digest by a newer pepper.
    pub replaced: Timestamp,
}

impl SecretEntry {
    /// Describes a new secret, which has no expiry of its own and was never used.
    pub const fn new(digest: KeyDigest, created: Timestamp) -> Self {
        let (expires, last_used) = (None, None);
        let (pepper, tail) = (None, None);
        Self { digest, created, expires, last_used, pepper, tail, formers: Vec::new() }
    }

    /// Returns all digests by which a lookup finds the secret.
    pub fn digests(&self) -> impl Iterator<Item = KeyDigest> {
        let formers = self.formers.iter().map(|former| former.digest);
        std::iter::once(self.digest).chain(formers)
    }
}

impl KeyEntry {
    /// Describes a key with its secrets, newest first.
    pub const fn new(record: KeyRecord, created: Timestamp, secrets: Vec<SecretEntry>) -> Self {
        Self { record, created, secrets, last_network: None }
    }

    /// Returns the state of the key at an instant.
    pub fn state(&self, now: Timestamp) -> KeyState {
        KeyState::of(&self.record, now)
    }

    /// Returns when the newest secret was made. For a key without a secret that is when the key was added.
    pub fn newest_secret(&self) -> Timestamp {
        self.secrets.first().map_or(self.created, |secret| secret.created)
    }

    /// Returns the instants that the rules of time of a [policy](crate::policy) ask for, without those of the trail.
    pub fn dates(&self) -> KeyDates {
        let dates = KeyDates::new(self.created).newest_secret(self.newest_secret());
        self.last_used().map_or(dates, |used| dates.last_used(used))
    }

    /// Returns when one of the key's secrets was last used.
    pub fn last_used(&self) -> Option<Timestamp> {
        self.secrets.iter().filter_map(|secret| secret.last_used).max()
    }
}
