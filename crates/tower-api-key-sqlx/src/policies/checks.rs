//! Checks one key in the transaction of its change.

use super::number::CountedKey;
use crate::trail::Step;
use tower_api_key::clock::Timestamp;
use tower_api_key::key::KeyRecord;
use tower_api_key::store::{KeyEntry, ManageError, NewKey};

impl Step<'_> {
    /// Refuses a new key that breaks a rule.
    pub(crate) async fn check_new(&mut self, new: &NewKey) -> Result<(), ManageError> {
        if !self.has_policies() {
            return Ok(());
        }
        let (record, now) = (&new.record, self.now());
        let policies = self.policies_of(record).await?;
        policies.check_new(record, now)?;
        let key = CountedKey { record, revokes_others: new.revokes_others };
        for bound in policies.most_keys(None, record, now) {
            self.check_number(bound, key).await?;
        }
        Ok(())
    }

    /// Refuses a change of a key after which it would break a rule. Nothing keeps a key from being revoked, not even a
    /// policy that cannot be read.
    pub(crate) async fn check_changed(
        &mut self,
        before: &KeyEntry,
        after: &KeyRecord,
    ) -> Result<(), ManageError> {
        if !self.has_policies() || after.is_revoked() {
            return Ok(());
        }
        let policies = self.policies_of(after).await?;
        let (record, now) = (&before.record, self.now());
        policies.check_change(record, after, newest_secret(before), now)?;
        let key = CountedKey { record: after, revokes_others: false };
        for bound in policies.most_keys(Some(record), after, now) {
            self.check_number(bound, key).await?;
        }
        Ok(())
    }

    /// Returns when the earlier secrets of a key end that gets a new one now. A rotation that ends them at once asks no
    /// policy, so not even a policy that cannot be read keeps a leaked secret in use.
    pub(crate) async fn end_of_earlier(
        &mut self,
        before: &KeyEntry,
        until: Timestamp,
    ) -> Result<Timestamp, ManageError> {
        if !self.has_policies() || until <= self.now() {
            return Ok(until);
        }
        let policies = self.policies_of(&before.record).await?;
        Ok(policies.end_of_earlier(&before.record, newest_secret(before), until, self.now()))
    }
}

/// Returns when the newest secret of a key was made.
fn newest_secret(entry: &KeyEntry) -> Timestamp {
    entry.secrets.first().map(|newest| newest.created).unwrap_or_default()
}
