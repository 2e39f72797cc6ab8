//! A policy: the rules for the keys of one subject.

use std::time::Duration;

use super::subject::PolicySubject;
use crate::key::ScopeSet;

/// The rules for the keys of one [`PolicySubject`].
///
/// Save it with [`Command::SavePolicy`](crate::store::Command::SavePolicy).
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::key::{Account, KeyHasher, KeyRecord};
/// use tower_api_key::policy::{KeyPolicy, PolicySubject};
/// use tower_api_key::store::{Command, CommandOptions, KeyManager, ManageError, MemoryStore, NewKey};
///
/// const DAY: Duration = Duration::from_secs(24 * 60 * 60);
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = MemoryStore::new();
/// let policy = KeyPolicy::builder(PolicySubject::All)
///     .longest_life(90 * DAY)
///     .scopes(["users.read"])
///     .build()?;
/// store.apply(Command::SavePolicy(policy), CommandOptions::by("ada")).await?;
///
/// let acme = Account::builder("acme").build()?;
/// let record = KeyRecord::builder("key_1", acme).scopes(["users.read"]).build()?; // without an expiry
/// let key = NewKey::new(KeyHasher::sha256().digest(b"the key's text"), record);
/// let refused = store.add(key, "ada").await;
/// assert!(matches!(refused, Err(ManageError::PolicyViolated(_))));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPolicy {
    pub(super) subject: PolicySubject,
    pub(super) expiry_required: bool,
    pub(super) longest_life: Option<Duration>,
    pub(super) unused: Option<Duration>,
    pub(super) most_keys: Option<u32>,
    pub(super) scopes: Option<ScopeSet>,
    pub(super) rotation: Option<Duration>,
}

impl KeyPolicy {
    /// Returns which keys the policy covers.
    pub const fn subject(&self) -> &PolicySubject {
        &self.subject
    }

    /// Returns true if each key must have an expiry. A longest life requires one, too.
    pub const fn requires_expiry(&self) -> bool {
        self.expiry_required
    }

    /// Returns the longest time from the making of a key's newest secret to the expiry of the key.
    pub const fn longest_life(&self) -> Option<Duration> {
        self.longest_life
    }

    /// Returns the time without a use after which a sweep switches a key off.
    pub const fn switches_off_unused(&self) -> Option<Duration> {
        self.unused
    }

    /// Returns the most keys of one account that the policy covers and that are neither revoked nor expired.
    pub const fn most_keys(&self) -> Option<u32> {
        self.most_keys
    }

    /// Returns the scopes that a key may have. `None` allows all.
    pub const fn scopes(&self) -> Option<&ScopeSet> {
        self.scopes.as_ref()
    }

    /// Returns the age of a key's newest secret at which a sweep reminds its owner to rotate it.
    pub const fn rotation_reminder(&self) -> Option<Duration> {
        self.rotation
    }

    /// Returns true if a sweep has something to do for the policy.
    pub const fn needs_sweep(&self) -> bool {
        self.requires_expiry() || self.unused.is_some() || self.rotation.is_some()
    }
}
