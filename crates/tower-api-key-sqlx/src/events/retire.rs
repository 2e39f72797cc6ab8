//! The events of keys that are deleted with their account.

use serde_json::Map;

use super::changes::NewEvent;
use crate::row;
use crate::statement::Statement;
use crate::trail::Step;
use tower_api_key::events::EventKind;
use tower_api_key::store::ManageError;

impl Step<'_> {
    /// Writes an event for each key of an account that is about to be deleted.
    pub(crate) async fn note_keys_of_deleted(&mut self, account: &str) -> Result<(), ManageError> {
        let mut after = String::new();
        loop {
            let asked = Statement::new(&self.store.events.ids_of_account);
            let rows = self.fetch(asked.bind(account).bind(after.as_str())).await?;
            let mut events = Vec::with_capacity(rows.len());
            for found in &rows {
                let key = row::text(&**found, "id")?;
                self.forget_occasions_of(&key).await?;
                let mut data = Map::new();
                data.insert("author".to_owned(), self.author().into());
                data.insert("with_account".to_owned(), true.into());
                if let Some(reason) = self.reason() {
                    data.insert("reason".to_owned(), reason.into());
                }
                let (kind, at, account) = (EventKind::Deleted, self.now(), account.to_owned());
                events.push(NewEvent { kind, at, key, account, data });
            }
            let Some(last) = events.last() else { break };
            after.clone_from(&last.key);
            self.write_events(events).await?;
        }
        let forgotten = Statement::new(&self.store.events.forget_account).bind(account);
        self.execute(forgotten).await.map(|_| ())
    }
}
