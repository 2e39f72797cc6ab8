//! Reads when a key was last used or changed.

use crate::row;
use crate::statement::Statement;
use crate::trail::Step;
use tower_api_key::clock::Timestamp;
use tower_api_key::policy::KeyDates;
use tower_api_key::store::{KeyEntry, ManageError};

/// The author of the changes that a sweep makes.
pub(super) const AUTHOR: &str = "policy";

/// A line of the trail for a change of a key by somebody else than the sweep.
pub(super) const CHANGED_KEY: &str =
    "c.action IN ('key_updated', 'key_edited') AND c.author <> 'policy'";

/// A line of the trail for an account that was switched on again. Its keys could not be used before. No other text has
/// these quotes, because the column is JSON.
pub(super) const ENABLED_ACCOUNT: &str = "c.key_id IS NULL AND c.action = 'account_saved' \
     AND c.differences LIKE '%[\"disabled\",\"true\",null]%'";

impl Step<'_> {
    /// Returns the dates of a key for the rules of time.
    pub(super) async fn dates(&mut self, entry: &KeyEntry) -> Result<KeyDates, ManageError> {
        let mut dates = KeyDates::new(entry.created);
        if let Some(newest) = entry.secrets.first() {
            dates = dates.newest_secret(newest.created);
        }
        let used = entry.secrets.iter().filter_map(|secret| secret.last_used).max();
        if let Some(used) = used {
            dates = dates.last_used(used);
        }
        let (id, account) = (entry.record.id().as_str(), entry.record.account().id().as_str());
        for (condition, name) in [
            (format!("c.key_id = $1 AND {CHANGED_KEY}"), id),
            (format!("c.account = $1 AND {ENABLED_ACCOUNT}"), account),
        ] {
            if let Some(changed) = self.last_line(&condition, name).await? {
                dates = dates.last_changed(changed);
            }
        }
        Ok(dates)
    }

    /// Returns the instant of the newest line of the trail that meets a condition.
    async fn last_line(
        &mut self,
        condition: &str,
        name: &str,
    ) -> Result<Option<Timestamp>, ManageError> {
        let sql = format!(
            "SELECT c.at FROM {{changes}} c WHERE {condition} ORDER BY c.sequence DESC LIMIT 1"
        );
        let rows = self.fetch(Statement::made(self.store.tables.fill(&sql)).bind(name)).await?;
        let at = rows.first().map(|line| row::number(&**line, "at")).transpose()?;
        Ok(at.map(row::timestamp))
    }
}
