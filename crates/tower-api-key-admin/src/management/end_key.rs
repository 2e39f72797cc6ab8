//! Revokes and deletes keys, and ends their earlier secrets.

use tower_api_key::store::{Applied, Command, KeyEntry, ManageError, Precondition, Version};

use super::caller::Caller;
use super::change_request::ChangeRequest;
use super::error::ManagementError;
use super::issue_key::never;
use super::management::Management;

impl Management {
    /// Revokes a key, which is final. Returns the key; `None` if its row cannot be read.
    ///
    /// # Errors
    ///
    /// [`ManagementError::MissingScope`] without `keys.write`; [`ManagementError::NotFound`] if the caller sees no such
    /// key; [`ManagementError::MissingScope`] without `keys.grant-any` if a key of operators has more than the caller's;
    /// [`ManagementError::VersionDiffers`] if the key has another version than the request names.
    pub async fn revoke_key(
        &self,
        caller: &Caller,
        id: &str,
        request: &ChangeRequest<'_>,
    ) -> Result<Option<KeyEntry>, ManagementError> {
        Ok(self.end_key(caller, id, request, Command::Revoke { id }).await?.key)
    }

    /// Deletes a key. Only the trail keeps its id.
    ///
    /// # Errors
    ///
    /// Those of [`revoke_key`](Self::revoke_key).
    pub async fn delete_key(
        &self,
        caller: &Caller,
        id: &str,
        request: &ChangeRequest<'_>,
    ) -> Result<(), ManagementError> {
        self.end_key(caller, id, request, Command::Delete { id }).await.map(|_| ())
    }

    /// Ends all secrets of a key at once, except the newest. Returns the key; `None` if it was deleted meanwhile.
    ///
    /// # Errors
    ///
    /// Those of [`revoke_key`](Self::revoke_key).
    pub async fn end_earlier_secrets(
        &self,
        caller: &Caller,
        id: &str,
        request: &ChangeRequest<'_>,
    ) -> Result<Option<KeyEntry>, ManagementError> {
        Ok(self.end_key(caller, id, request, Command::EndEarlierSecrets { id }).await?.key)
    }

    async fn end_key(
        &self,
        caller: &Caller,
        id: &str,
        request: &ChangeRequest<'_>,
        command: Command<'_>,
    ) -> Result<Applied, ManagementError> {
        caller.check_key_changes()?;
        let version = request.version().map_or(Precondition::None, Precondition::Version);
        let precondition = match self.seen_key(caller, id).await {
            Ok(seen) => {
                self.check_key_change(caller, &seen.record)?;
                version
            }
            // The row may be broken. An operator can end such a key.
            Err(ManagementError::Unavailable(_)) if caller.is_operator() => version,
            // Only a replay can still succeed: the names of requests belong to their author.
            Err(ManagementError::NotFound(_)) if request.idempotency_key().is_some() => never(),
            Err(error) => return Err(error),
        };
        let options = request.options(caller.key_id(), precondition);
        match self.0.manager.apply(command, options).await {
            Err(ManageError::PreconditionFailed) if precondition == never() => {
                Err(ManagementError::NotFound("key"))
            }
            Err(ManageError::NotFound) => Err(ManagementError::NotFound("key")),
            applied => {
                let mut applied = applied?;
                // A key of another account may have got the id since an earlier request was made.
                applied.key.take_if(|key| !caller.sees(key.record.account().id().as_str()));
                Ok(applied)
            }
        }
    }

    /// Returns the version of a key, which an edit names.
    pub fn version(entry: &KeyEntry) -> Version {
        Version::of_key(entry)
    }
}
