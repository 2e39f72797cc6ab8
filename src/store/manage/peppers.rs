//! Management of keys under several peppers.

use std::time::Duration;

use super::command::{Command, CommandOptions};
use super::entry::KeyEntry;
use super::error::ManageError;
use super::manager::{KeyManager, ManageFuture};
use super::new_secret::NewSecret;
use crate::clock::Timestamp;
use crate::key::{KeyDigest, PepperName};

/// How long a store finds a secret by its former digest, once it has one by a newer pepper: 1 day.
///
/// That is longer than any cache or replica may lag. A cache may hold for a moment that the newer digest is unknown,
/// and a gate then looks the key up by the former one.
pub const FORMER_DIGEST_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// A [`KeyManager`] that records which pepper each secret has, for a [keyring](crate::key::Peppers).
///
/// The stores of this project implement it. The feature `testing` has a test for each of its promises: `pepper_tests!`.
pub trait PepperManager: KeyManager {
    /// Gives a key a new secret as [`rotate`](KeyManager::rotate) does, and records its pepper.
    fn rotate_to<'a>(
        &'a self,
        id: &'a str,
        secret: NewSecret,
        until: Timestamp,
        by: &'a str,
    ) -> ManageFuture<'a, KeyEntry> {
        let rotated = self.apply(Command::Rotate { id, secret, until }, CommandOptions::by(by));
        Box::pin(async move { rotated.await?.key.ok_or(ManageError::NotFound) })
    }

    /// Gives secrets their digests by a newer pepper, and returns how many got one.
    ///
    /// 1. A secret stays one secret: it keeps its key, its expiry and its last use. Whatever changes the key or the
    ///    secret holds for both digests.
    /// 2. A lookup finds the former digest for [one day](FORMER_DIGEST_KEPT) more. A later call deletes it, also one
    ///    without secrets.
    /// 3. A secret that is gone, has that digest already, or belongs to a revoked key is skipped. So calls may be
    ///    repeated, and made by several processes at once.
    /// 4. All secrets of a call change or none does, each with a line `key_rehashed` in the audit trail.
    fn rehash<'a>(&'a self, secrets: Vec<Rehash>, by: &'a str) -> ManageFuture<'a, u64>;

    /// Counts the secrets under each pepper that can still serve: not those that have expired, or of revoked keys. The
    /// pepper without a name comes first, then the others by their names. Reads all secrets.
    fn pepper_usage(&self) -> ManageFuture<'_, Vec<PepperUsage>>;
}

/// A secret that gets a digest by a newer pepper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rehash {
    /// The digest by which the store finds the secret.
    pub from: KeyDigest,
    /// The digest of the same secret by the newer pepper.
    pub to: KeyDigest,
    /// The name of the newer pepper.
    pub pepper: PepperName,
}

/// The secrets under one pepper that can still serve.
///
/// ```
/// use tower_api_key::clock::Timestamp;
/// use tower_api_key::store::PepperUsage;
///
/// let at = Timestamp::from_unix_seconds;
/// let mut usage = PepperUsage::new(None);
/// assert!(usage.can_go(at(1_000)));
///
/// usage.note(Some(at(2_000)), None); // a secret that ends
/// assert_eq!((usage.can_go(at(1_000)), usage.goes_at()), (false, Some(at(2_000))));
///
/// usage.note(None, Some(at(900))); // a secret without an end
/// assert_eq!((usage.endless, usage.last_used), (1, Some(at(900))));
/// assert_eq!(usage.goes_at(), None, "it has to be used or rotated first");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PepperUsage {
    /// The name of the pepper. `None` for secrets that were made without a keyring.
    pub pepper: Option<PepperName>,
    /// The number of secrets under this pepper alone.
    pub secrets: u64,
    /// How many of them have no end: neither the secret nor its key expires.
    pub endless: u64,
    /// When one of them was last used.
    pub last_used: Option<Timestamp>,
    /// When the last one with an end ends.
    pub last_end: Option<Timestamp>,
    /// The number of secrets that have a digest by a newer pepper, and are still found by this one.
    pub rehashed: u64,
    /// When the last one of these is no longer found by this pepper.
    pub rehashed_until: Option<Timestamp>,
}

impl PepperUsage {
    /// Describes a pepper without secrets.
    pub const fn new(pepper: Option<PepperName>) -> Self {
        Self {
            pepper,
            secrets: 0,
            endless: 0,
            last_used: None,
            last_end: None,
            rehashed: 0,
            rehashed_until: None,
        }
    }

    /// Counts a secret with this end and last use.
    pub fn note(&mut self, end: Option<Timestamp>, last_used: Option<Timestamp>) {
        self.secrets += 1;
        self.endless += u64::from(end.is_none());
        self.last_end = self.last_end.max(end);
        self.last_used = self.last_used.max(last_used);
    }

    /// Counts a secret that got a digest by a newer pepper at this instant.
    pub fn note_rehashed(&mut self, replaced: Timestamp) {
        self.rehashed += 1;
        self.rehashed_until = self.rehashed_until.max(Some(replaced.plus(FORMER_DIGEST_KEPT)));
    }

    /// Returns true if no secret needs the pepper at an instant.
    pub fn can_go(&self, now: Timestamp) -> bool {
        self.endless == 0 && self.goes_at().is_none_or(|at| at <= now)
    }

    /// Returns the instant from which on no secret needs the pepper, if no other secret gets it. `None` if none needs it
    /// now, or if some have no end.
    pub fn goes_at(&self) -> Option<Timestamp> {
        if self.endless > 0 { None } else { self.last_end.max(self.rehashed_until) }
    }
}
