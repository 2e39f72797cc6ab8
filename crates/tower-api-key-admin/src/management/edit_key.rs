//! Edits keys.

use tower_api_key::store::{Command, KeyEntry, ManageError};

use super::caller::Caller;
use super::change_request::ChangeRequest;
use super::error::ManagementError;
use super::issue_key::{ATTEMPTS, condition};
use super::key_edit::KeyEdit;
use super::management::Management;

impl Management {
    /// Edits a key. Without a version in the request, the edit is made on whatever the key is at that moment.
    ///
    /// # Errors
    ///
    /// [`ManagementError::MissingScope`] without `keys.write`; [`ManagementError::NotFound`] if the caller sees no such
    /// key; [`ManagementError::Invalid`] for a field that is not valid; [`ManagementError::NotGrantable`] if the key would
    /// get more than the caller's key has; [`ManagementError::PolicyViolated`] if it would break a rule of a policy for
    /// what the edit changes; [`ManagementError::VersionDiffers`] if the key has another version than the request names.
    pub async fn edit_key(
        &self,
        caller: &Caller,
        id: &str,
        edit: KeyEdit,
        request: &ChangeRequest<'_>,
    ) -> Result<KeyEntry, ManagementError> {
        caller.check_key_changes()?;
        self.check_known_scopes(edit.scopes.value().map(Vec::as_slice).unwrap_or_default())?;
        let mut attempts = ATTEMPTS;
        loop {
            attempts -= 1;
            let seen = self.seen_key(caller, id).await?;
            let before = &seen.record;
            self.check_key_change(caller, before)?;
            let after = edit.check(before)?;
            if after.expires().is_some() && after.not_before() >= after.expires() {
                let problem = "it must be later than `not_before`";
                return Err(ManagementError::invalid("expires", problem));
            }
            self.bounds(caller, before.account().id().as_str()).check_edit(before, &after)?;
            // What was checked is what is changed: the store refuses any other version.
            let options = request.options(caller.key_id(), condition(request, &seen));
            // A key that had expired counts again.
            let revives = edit.expires.is_change();
            let options = if revives { self.within_most_keys(caller, options) } else { options };
            let change = Box::new(edit.clone().change());
            match self.0.manager.apply(Command::Update { id, change }, options).await {
                Err(ManageError::PreconditionFailed)
                    if request.version().is_none() && attempts > 0 => {}
                Err(error) => {
                    let is_known = |scope: &str| self.is_known_scope(scope);
                    return Err(ManagementError::of_key(error, &after, is_known));
                }
                Ok(applied) => return applied.key.ok_or(ManagementError::NotFound("key")),
            }
        }
    }
}
