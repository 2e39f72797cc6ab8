//! The key with which a retried change is made once.

use std::time::Duration;

/// The name that a client gives to a change, so that a retry does not make it twice.
///
/// The store keeps the name in the transaction that makes the change, for [`KEPT`](Self::KEPT). Names of different
/// authors are independent. A second command with the same name makes no change and returns the present state. It fails
/// with [`ManageError::IdempotencyKeyReused`](super::ManageError::IdempotencyKeyReused) if its content differs.
///
/// ```
/// use tower_api_key::store::IdempotencyKey;
///
/// let key = IdempotencyKey::new("9f2c1a7e", &[7; 32]);
/// assert_eq!(key.as_str(), "9f2c1a7e");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdempotencyKey<'a> {
    key: &'a str,
    fingerprint: &'a [u8; 32],
}

impl<'a> IdempotencyKey<'a> {
    /// The time for which a store keeps a name: 24 hours.
    pub const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

    /// Names a change. `fingerprint` is a digest of its content, such as the SHA-256 of the method, the path and the
    /// body of a request.
    pub const fn new(key: &'a str, fingerprint: &'a [u8; 32]) -> Self {
        Self { key, fingerprint }
    }

    /// Returns the name.
    pub const fn as_str(&self) -> &'a str {
        self.key
    }

    /// Returns the digest of the change's content.
    pub const fn fingerprint(&self) -> &'a [u8; 32] {
        self.fingerprint
    }
}
