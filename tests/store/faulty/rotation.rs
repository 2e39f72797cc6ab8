//! A rotation that forgets the policies, and faulty ends of earlier secrets.

use tower_api_key::clock::Timestamp;
use tower_api_key::policy::KeyPolicy;
use tower_api_key::store::{
    Command, CommandOptions, KeyEntry, KeyManager, ManageError, ManageFuture, NewSecret,
};

use super::Faulty;
use crate::faults::Fault;

impl<S: KeyManager> Faulty<S> {
    /// Rotates a key, as if there were no policies if the fault says so.
    pub(super) async fn rotate_by_policies(
        &self,
        id: &str,
        secret: NewSecret,
        until: Timestamp,
        by: &str,
    ) -> Result<KeyEntry, ManageError> {
        let rotate = async || {
            let rotation = Command::Rotate { id, secret, until };
            let rotated = self.inner.apply(rotation, CommandOptions::by(by)).await?;
            rotated.key.ok_or(ManageError::NotFound)
        };
        if !self.has(Fault::RotatesAgainstAPolicy) {
            return rotate().await;
        }
        let policies: Vec<KeyPolicy> = self.inner.policies().await?.iter().cloned().collect();
        let options = CommandOptions::by(by);
        for policy in &policies {
            let delete = Command::DeletePolicy(policy.subject().clone());
            self.inner.apply(delete, options).await?;
        }
        let rotated = rotate().await;
        for policy in policies {
            self.inner.apply(Command::SavePolicy(policy), options).await?;
        }
        rotated
    }

    pub(super) fn end_faultily<'a>(
        &'a self,
        id: &'a str,
        by: &'a str,
    ) -> ManageFuture<'a, KeyEntry> {
        Box::pin(async move {
            if self.has(Fault::EndsNoEarlierSecret) {
                return self.inner.get(id).await?.ok_or(ManageError::NotFound);
            }
            let entry = self.inner.end_earlier_secrets(id, by).await?;
            if self.has(Fault::EndsTheNewestSecretToo) {
                let ended = entry.record.edit().expires(Timestamp::from_unix_seconds(2)).build()?;
                self.memory().ghosts.insert(entry.secrets[0].digest, ended.into());
            }
            Ok(entry)
        })
    }
}
