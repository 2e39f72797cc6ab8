//! A rotation that forgets the policies.

use tower_api_key::clock::Timestamp;
use tower_api_key::key::KeyDigest;
use tower_api_key::policy::KeyPolicy;
use tower_api_key::store::{Command, CommandOptions, KeyEntry, KeyManager, ManageError};

use super::Faulty;
use crate::faults::Fault;

impl<S: KeyManager> Faulty<S> {
    /// Rotates a key, as if there were no policies if the fault says so.
    pub(super) async fn rotate_by_policies(
        &self,
        id: &str,
        secret: KeyDigest,
        until: Timestamp,
        by: &str,
    ) -> Result<KeyEntry, ManageError> {
        if !self.has(Fault::RotatesAgainstAPolicy) {
            return self.inner.rotate(id, secret, until, by).await;
        }
        let policies: Vec<KeyPolicy> = self.inner.policies().await?.iter().cloned().collect();
        let options = CommandOptions::by(by);
        for policy in &policies {
            let delete = Command::DeletePolicy(policy.subject().clone());
            self.inner.apply(delete, options).await?;
        }
        let rotated = self.inner.rotate(id, secret, until, by).await;
        for policy in policies {
            self.inner.apply(Command::SavePolicy(policy), options).await?;
        }
        rotated
    }
}
