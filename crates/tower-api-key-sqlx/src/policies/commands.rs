//! Saves and deletes policies.

use super::rules_column::write;
use crate::statement::Statement;
use crate::trail::Step;
use tower_api_key::policy::{KeyPolicy, PolicySubject};
use tower_api_key::store::{Action, Difference, ManageError, Version};

const SAVE: &str = "INSERT INTO {policies} (subject, rules) VALUES ($1, $2) \
     ON CONFLICT (subject) DO UPDATE SET rules = excluded.rules";

const DELETE: &str = "DELETE FROM {policies} WHERE subject = $1";

impl Step<'_> {
    /// Adds or replaces the policy for its subject.
    pub(crate) async fn save_policy(&mut self, policy: &KeyPolicy) -> Result<(), ManageError> {
        let subject = policy.subject();
        let before = self.readable_policy(subject).await?;
        let saved = Statement::made(self.store.tables.fill(SAVE)).bind(subject.to_string());
        self.execute(saved.bind(write(policy))).await?;
        let differences = Difference::of_policies(before.as_ref(), Some(policy));
        self.note(Action::PolicySaved, None, subject.account(), &differences).await
    }

    /// Deletes the policy for a subject, also one that this version cannot read.
    pub(crate) async fn delete_policy(
        &mut self,
        subject: &PolicySubject,
    ) -> Result<(), ManageError> {
        let before = self.readable_policy(subject).await?;
        let deleted = Statement::made(self.store.tables.fill(DELETE)).bind(subject.to_string());
        if self.execute(deleted).await? == 0 {
            return Err(ManageError::NotFound);
        }
        let differences = match &before {
            Some(before) => Difference::of_policies(Some(before), None),
            None => vec![Difference::new("policy", Some(subject.to_string()), None)],
        };
        self.note(Action::PolicyDeleted, None, subject.account(), &differences).await
    }

    /// Reads a policy. Returns `None` if there is none, or if this version cannot read it.
    pub(crate) async fn readable_policy(
        &mut self,
        subject: &PolicySubject,
    ) -> Result<Option<KeyPolicy>, ManageError> {
        Ok(self.policy(subject).await?.and_then(Result::ok))
    }

    /// Returns the version of a policy, or `None` if there is no policy.
    pub(crate) async fn policy_version(
        &mut self,
        subject: &PolicySubject,
    ) -> Result<Option<Version>, ManageError> {
        Ok(self.policy(subject).await?.transpose()?.as_ref().map(Version::of_policy))
    }
}
