//! Reads when a key was last used or changed.

use crate::row;
use crate::statement::Statement;
use crate::trail::Step;
use tower_api_key::policy::{KeyDates, PolicyAction};
use tower_api_key::store::{KeyEntry, ManageError};

/// Selects when the recorder of usage last saw a key.
pub(super) fn last_use_of_key(id: &str) -> String {
    format!("SELECT u.at FROM {{usage_keys}} u WHERE u.key_id = {id}")
}

/// Selects when somebody else than the sweep last changed the key with this id, by the index of its lines.
pub(super) fn last_change_of_key(id: &str) -> String {
    let change = "c.action IN ('key_updated', 'key_edited')";
    newest_line(&format!("c.key_id = {id} AND {change} AND c.author <> '{}'", PolicyAction::AUTHOR))
}

/// Selects when an account was last switched on again. Its keys could not be used before. No other text has these quotes,
/// because the column is JSON.
pub(super) fn last_start_of_account(id: &str) -> String {
    let start =
        "c.action = 'account_saved' AND c.differences LIKE '%[\"disabled\",\"true\",null]%'";
    newest_line(&format!("c.account = {id} AND c.key_id IS NULL AND {start}"))
}

fn newest_line(condition: &str) -> String {
    format!("SELECT c.at FROM {{changes}} c WHERE {condition} ORDER BY c.sequence DESC LIMIT 1")
}

impl Step<'_> {
    /// Returns the dates of a key for the rules of time.
    pub(super) async fn dates(&mut self, entry: &KeyEntry) -> Result<KeyDates, ManageError> {
        let mut dates = entry.dates();
        let (id, account) = (entry.record.id().as_str(), entry.record.account().id().as_str());
        for (asked, name) in [
            (last_use_of_key("$1"), id),
            (last_change_of_key("$1"), id),
            (last_start_of_account("$1"), account),
        ] {
            let asked = Statement::made(self.store.tables.fill(&asked)).bind(name);
            if let Some(found) = self.fetch(asked).await?.first() {
                // A use and a change count alike.
                dates = dates.last_changed(row::timestamp(row::number(&**found, "at")?));
            }
        }
        Ok(dates)
    }
}
