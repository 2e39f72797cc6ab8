//! Finds the key of a secret.

use tower_api_key::store::KeyEntry;

use super::caller::Caller;
use super::error::ManagementError;
use super::management::Management;
use super::scopes::KEYS_READ;

impl Management {
    /// Returns the key that a secret belongs to, in whatever state the key is. The question is no use of the key. Spaces around the secret do not count, nor
    /// words in front of it: `Authorization: Bearer SECRET` finds the key, too.
    ///
    /// # Errors
    ///
    /// [`ManagementError::MissingScope`] without `keys.read`; [`ManagementError::NotFound`] if no key has the secret, or
    /// the caller does not see the key.
    pub async fn who_is(&self, caller: &Caller, secret: &str) -> Result<KeyEntry, ManagementError> {
        caller.require(KEYS_READ)?;
        let whole = secret.trim();
        let last = whole.split_whitespace().last().filter(|last| *last != whole);
        for text in [Some(whole), last].into_iter().flatten() {
            // Keys of former peppers are found, too.
            let digests: Vec<_> = self.0.hasher.digests_at(text.as_bytes(), self.now()).collect();
            for digest in digests {
                if let Some(id) = self.0.manager.id_of(&digest).await? {
                    return self.seen_key(caller, id.as_str()).await;
                }
            }
        }
        Err(ManagementError::NotFound("key"))
    }
}
