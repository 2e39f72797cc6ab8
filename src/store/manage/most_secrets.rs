//! The bound on the valid secrets of a key.

use super::entry::SecretEntry;
use super::error::ManageError;
use crate::clock::Timestamp;

/// The most secrets of one key that are valid at once: 8.
///
/// A rotation with an overlap adds one. Without a bound, a program that rotates in a loop would give a key secrets without
/// end, and each one would have to be found when the key leaks.
pub const MOST_VALID_SECRETS: usize = 8;

/// Checks that a key has fewer than [`MOST_VALID_SECRETS`] valid secrets after a rotation that ends them at `until`, so that
/// the new one fits. Every store calls this in the transaction of the rotation.
///
/// A rotation without an overlap ends all earlier secrets, so it always passes.
///
/// ```
/// use tower_api_key::clock::Timestamp;
/// use tower_api_key::key::KeyDigest;
/// use tower_api_key::store::{ManageError, SecretEntry, check_most_secrets};
///
/// let (now, later) = (Timestamp::from_unix_seconds(100), Timestamp::from_unix_seconds(200));
/// let secrets = vec![SecretEntry::new(KeyDigest::from_bytes([7; 32]), now); 8];
/// assert!(check_most_secrets(&secrets[1..], later, now).is_ok());
/// let refused = check_most_secrets(&secrets, later, now);
/// assert!(matches!(refused, Err(ManageError::TooManySecrets(8))));
/// assert!(check_most_secrets(&secrets, now, now).is_ok());
/// ```
///
/// # Errors
///
/// [`ManageError::TooManySecrets`] if the key has that many.
pub fn check_most_secrets(
    secrets: &[SecretEntry],
    until: Timestamp,
    now: Timestamp,
) -> Result<(), ManageError> {
    let stays = |secret: &&SecretEntry| secret.expires.is_none_or(|expires| expires > now);
    if until <= now || secrets.iter().filter(stays).count() < MOST_VALID_SECRETS {
        return Ok(());
    }
    Err(ManageError::TooManySecrets(MOST_VALID_SECRETS))
}
