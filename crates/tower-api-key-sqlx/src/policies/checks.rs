//! Checks one key in the transaction of its change.

use super::number::CountedKey;
use crate::trail::Step;
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
        let newest = before.secrets.first().map(|newest| newest.created).unwrap_or_default();
        policies.check_change(&before.record, after, newest)?;
        let (record, now) = (&before.record, self.now());
        let key = CountedKey { record: after, revokes_others: false };
        for bound in policies.most_keys(Some(record), after, now) {
            self.check_number(bound, key).await?;
        }
        Ok(())
    }
}
