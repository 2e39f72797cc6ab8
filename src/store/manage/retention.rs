//! The time for which a store keeps expired secrets.

use std::time::Duration;

use super::entry::SecretEntry;
use crate::clock::Timestamp;
use crate::key::KeyDigest;

/// The default time: 30 days.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The most expired secrets that are kept of one key. The cost of a change grows with their number.
const MOST: usize = 32;

/// How long a store keeps the expired secrets of a key: 30 days unless set, and at most the newest 32 of one
/// key.
///
/// While the store keeps an expired secret, the gate refuses a client that sends it because the key has
/// expired. Afterwards the key is unknown.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::clock::Timestamp;
/// use tower_api_key::key::KeyDigest;
/// use tower_api_key::store::{Retention, SecretEntry};
///
/// let at = Timestamp::from_unix_seconds;
/// let newest = SecretEntry::new(KeyDigest::from_bytes([2; 32]), at(1_000));
/// let mut former = SecretEntry::new(KeyDigest::from_bytes([1; 32]), at(10));
/// former.expires = Some(at(1_000));
///
/// let retention = Retention::new(Duration::from_secs(60));
/// let secrets = [newest, former];
/// assert!(retention.to_delete(&secrets, at(1_059)).is_empty());
/// assert_eq!(retention.to_delete(&secrets, at(1_060)), [secrets[1].digest]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention(Duration);

impl Retention {
    /// Keeps a secret for this long after it has expired.
    pub const fn new(time: Duration) -> Self {
        Self(time)
    }

    /// Returns the secrets that a rotation of their key deletes.
    ///
    /// A secret is in the list if it expired longer ago than the retention. Of the other expired secrets, all
    /// except the newest 32 are in the list. `secrets` has the newest first, as in
    /// [`KeyEntry`](super::KeyEntry).
    pub fn to_delete(self, secrets: &[SecretEntry], now: Timestamp) -> Vec<KeyDigest> {
        let mut kept = 0;
        let mut gone = Vec::new();
        let mut next = None;
        for secret in secrets {
            if secret.expires.is_some_and(|expires| expires <= now) {
                kept += 1;
                if kept > MOST || self.is_long_gone(secret, next, now) {
                    gone.push(secret.digest);
                }
            }
            next = Some(secret.created);
        }
        gone
    }

    /// Removes the secrets that expired longer ago than the retention from a list that has the newest first.
    ///
    /// A store calls this before it shows an entry, because only a rotation deletes secrets.
    pub fn hide(self, secrets: &mut Vec<SecretEntry>, now: Timestamp) {
        let mut next = None;
        secrets.retain(|secret| {
            let gone = self.is_long_gone(secret, next, now);
            next = Some(secret.created);
            !gone
        });
    }

    /// Returns true if a secret expired longer ago than the retention. `next` is when the following secret
    /// was made. A rotation may name an earlier instant, but a secret was valid until the rotation.
    fn is_long_gone(self, secret: &SecretEntry, next: Option<Timestamp>, now: Timestamp) -> bool {
        let Some(expires) = secret.expires else { return false };
        let ended = next.map_or(expires, |next| expires.max(next));
        ended.plus(self.0) <= now
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self(KEPT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(all: &[(u64, Option<u64>)]) -> Vec<SecretEntry> {
        let at = Timestamp::from_unix_seconds;
        let secret = |(number, (created, expires)): (usize, &(u64, Option<u64>))| {
            let digest = KeyDigest::from_bytes([u8::try_from(number).unwrap(); 32]);
            let mut entry = SecretEntry::new(digest, at(*created));
            entry.expires = expires.map(at);
            entry
        };
        all.iter().enumerate().map(secret).collect()
    }

    #[test]
    fn a_secret_is_kept_for_the_retention_after_it_has_expired() {
        let retention = Retention::new(Duration::from_secs(10));
        let now = Timestamp::from_unix_seconds(100);
        for (secret, next, gone) in [
            ((50, None), 99, false),
            ((50, Some(101)), 60, false),
            ((50, Some(91)), 60, false),
            ((50, Some(90)), 60, true),
            // A rotation with an instant in the past expires the secret at the rotation.
            ((50, Some(1)), 91, false),
            ((50, Some(1)), 90, true),
        ] {
            let mut all = secrets(&[(next, None), secret]);
            let (newest, old) = (all[0].digest, all[1].digest);
            let expected = if gone { vec![old] } else { Vec::new() };
            assert_eq!(retention.to_delete(&all, now), expected, "{secret:?} before {next}");
            retention.hide(&mut all, now);
            assert_eq!(all[0].digest, newest);
            assert_eq!(all.len(), if gone { 1 } else { 2 }, "{secret:?} before {next}");
        }
    }

    #[test]
    fn a_secret_is_kept_for_thirty_days_unless_set() {
        assert_eq!(Retention::default().0.as_secs(), 2_592_000);
    }

    #[test]
    fn at_most_32_expired_secrets_are_kept_and_every_valid_one() {
        let now = Timestamp::from_unix_seconds(100);
        let mut all = vec![(99, None), (98, Some(200))];
        all.extend((0..40u64).map(|number| (90 - number, Some(95))));
        let gone = Retention::default().to_delete(&secrets(&all), now);
        let expected: Vec<_> = secrets(&all).iter().skip(2 + MOST).map(|old| old.digest).collect();
        assert_eq!(gone, expected);
    }
}
