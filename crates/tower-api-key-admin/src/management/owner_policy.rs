//! What owners may do with their own keys.

use std::time::Duration;

/// The bounds of owners: customers who manage the keys of their own account.
///
/// An owner's new key has no more scopes, no wider networks and no later expiry than the key with which the owner asks.
/// The policy bounds owners further.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key_admin::management::OwnerPolicy;
///
/// let policy = OwnerPolicy::at_most_keys(10).longest_life(Duration::from_secs(90 * 24 * 60 * 60));
/// assert_eq!(policy.most_keys(), 10);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnerPolicy {
    most_keys: u32,
    longest_life: Option<Duration>,
    metadata: bool,
}

impl OwnerPolicy {
    /// Allows each owner of an account this number of keys that are neither revoked nor expired. Keys without an owner
    /// count together, as those of one owner.
    pub const fn at_most_keys(most_keys: u32) -> Self {
        Self { most_keys, longest_life: None, metadata: false }
    }

    /// Requires an expiry of each key that an owner creates or edits, at most this long from now.
    #[must_use]
    pub const fn longest_life(self, life: Duration) -> Self {
        Self { longest_life: Some(life), ..self }
    }

    /// Allows owners to set metadata. Do so only if no program trusts the metadata of keys.
    #[must_use]
    pub const fn metadata(self) -> Self {
        Self { metadata: true, ..self }
    }

    /// Returns the most keys that each owner may have.
    pub const fn most_keys(&self) -> u32 {
        self.most_keys
    }

    /// Returns the longest life of a key; `None` if keys need no expiry.
    pub const fn life(&self) -> Option<Duration> {
        self.longest_life
    }

    /// Returns true if owners may set metadata.
    pub const fn allows_metadata(&self) -> bool {
        self.metadata
    }
}
