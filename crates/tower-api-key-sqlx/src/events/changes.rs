//! The events of a change, written in its transaction.

use serde_json::{Map, Value};
use uuid::{NoContext, Uuid};

use crate::json;
use crate::statement::Statement;
use crate::trail::Step;
use tower_api_key::clock::Timestamp;
use tower_api_key::events::EventKind;
use tower_api_key::store::ManageError;

/// An event that is not written yet.
pub(super) struct NewEvent {
    pub(super) kind: EventKind,
    pub(super) at: Timestamp,
    pub(super) key: String,
    pub(super) account: String,
    pub(super) data: Map<String, Value>,
}

impl Step<'_> {
    /// Writes the event of a change of a key: who made it, why, and what else is known. A change after a leak has a
    /// second event.
    pub(crate) async fn note_event(
        &mut self,
        kind: EventKind,
        key: &str,
        account: &str,
        known: &[(&str, Value)],
    ) -> Result<(), ManageError> {
        let mut events = Vec::with_capacity(2);
        if self.is_leak() && ends_secrets(kind) {
            events.push(self.event(EventKind::Leaked, (key, account), known));
        }
        events.push(self.event(kind, (key, account), known));
        self.write_events(events).await
    }

    /// Writes that a key leaked, if the reason of the change says so.
    pub(crate) async fn note_leak(&mut self, key: &str, account: &str) -> Result<(), ManageError> {
        if !self.is_leak() {
            return Ok(());
        }
        let leaked = self.event(EventKind::Leaked, (key, account), &[]);
        self.write_events(vec![leaked]).await
    }

    fn is_leak(&self) -> bool {
        self.reason().is_some_and(EventKind::is_leak)
    }

    /// Returns an event of this change.
    fn event(
        &self,
        kind: EventKind,
        (key, account): (&str, &str),
        known: &[(&str, Value)],
    ) -> NewEvent {
        let mut data: Map<String, Value> =
            known.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        data.insert("author".to_owned(), self.author().into());
        if let Some(reason) = self.reason() {
            data.insert("reason".to_owned(), reason.into());
        }
        let (key, account) = (key.to_owned(), account.to_owned());
        NewEvent { kind, at: self.now(), key, account, data }
    }

    /// Writes events, and gives each an id.
    pub(super) async fn write_events(&mut self, events: Vec<NewEvent>) -> Result<(), ManageError> {
        if events.is_empty() {
            return Ok(());
        }
        let store = self.store;
        self.insert(&store.events.into_events, 6, &events, "", |row, event| {
            let row = row.bind(id(event.at)).bind(event.kind.name());
            let row = row.bind(crate::row::column(event.at)).bind(event.key.as_str());
            row.bind(event.account.as_str()).bind(json::write(&event.data))
        })
        .await?;
        self.announce_events();
        Ok(())
    }

    /// Forgets the occasions of a deleted key. A key that gets its id has events of its own.
    pub(crate) async fn forget_occasions_of(&mut self, key: &str) -> Result<(), ManageError> {
        let forgotten = Statement::new(&self.store.events.forget_key).bind(key);
        self.execute(forgotten).await.map(|_| ())
    }
}

/// Returns true for what is done with a key whose secret leaked.
const fn ends_secrets(kind: EventKind) -> bool {
    use EventKind::{Deleted, Revoked, Rotated, SwitchedOff};
    matches!(kind, Revoked | Rotated | SwitchedOff | Deleted)
}

/// Returns a new id, whose first half sorts by the instant.
fn id(at: Timestamp) -> String {
    let seconds = at.unix_seconds();
    let nanoseconds = u32::try_from(at.unix_nanoseconds() % 1_000_000_000).unwrap_or(0);
    Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, seconds, nanoseconds)).to_string()
}
