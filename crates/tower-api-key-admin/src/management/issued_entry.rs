//! A key with its new secret.

use tower_api_key::key::IssuedKey;
use tower_api_key::store::{Applied, KeyEntry};

use super::error::ManagementError;
use super::management::Management;

/// A key with its new secret.
#[derive(Debug)]
#[non_exhaustive]
pub struct IssuedEntry {
    /// The key.
    pub entry: KeyEntry,
    /// The secret, to show once. `None` for a replay: an earlier request with the same idempotency key got the secret,
    /// and nothing can show it again. The remedy is a rotation.
    pub secret: Option<IssuedKey>,
}

impl IssuedEntry {
    /// Returns true if an earlier request with the same idempotency key has made the change.
    pub const fn is_replay(&self) -> bool {
        self.secret.is_none()
    }

    pub(super) fn of(applied: Applied, secret: IssuedKey) -> Result<Self, ManagementError> {
        let replayed = applied.replayed;
        let entry = applied.key.ok_or(ManagementError::CreatedKeyDeleted)?;
        Ok(Self { entry, secret: (!replayed).then_some(secret) })
    }
}

impl Management {
    /// Returns the key and its new secret though a replica does not apply the change yet. The store has made the change, and
    /// nothing could show the secret later. Other nodes learn of the key no sooner either.
    pub(super) async fn issued_late(
        &self,
        id: &str,
        issued: IssuedKey,
    ) -> Result<IssuedEntry, ManagementError> {
        let found = self.0.manager.get(id).await?;
        let newest = |entry: &KeyEntry| entry.secrets.first().map(|secret| secret.digest);
        match found.filter(|entry| newest(entry) == Some(*issued.digest())) {
            Some(entry) => Ok(IssuedEntry { entry, secret: Some(issued) }),
            None => Err(ManagementError::NotYetApplied),
        }
    }
}
