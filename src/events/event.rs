//! One event.

use serde_json::{Map, Value, json};

use super::kind::EventKind;
use crate::clock::Timestamp;

/// One event of a key.
///
/// ```
/// use tower_api_key::clock::Timestamp;
/// use tower_api_key::events::{Event, EventKind};
///
/// let event = Event {
///     sequence: 7,
///     id: "019ad1c2-7a00-7000-8000-000000000001".to_owned(),
///     kind: EventKind::Revoked,
///     at: Timestamp::from_unix_seconds(1_764_460_800),
///     key: "key_1".to_owned(),
///     account: "acme".to_owned(),
///     data: Default::default(),
/// };
/// assert!(event.payload().starts_with(r#"{"data":{"account":"acme","key":"key_1"}"#));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The position among the events of a store, from 1. Numbers may be missing.
    pub sequence: u64,
    /// The id, a UUID of version 7. It stays the same when the event is delivered again.
    pub id: String,
    /// What happened.
    pub kind: EventKind,
    /// When it happened.
    pub at: Timestamp,
    /// The id of the key.
    pub key: String,
    /// The id of the key's account.
    pub account: String,
    /// What else is known, by name. `docs/events.md` lists the names of each kind.
    pub data: Map<String, Value>,
}

impl Event {
    /// Returns the event as JSON in one line: `id`, `sequence`, `type`, `timestamp`, and `data` with the key, its account
    /// and what else is known. A webhook has this body.
    pub fn payload(&self) -> String {
        let mut data = self.data.clone();
        data.insert("key".to_owned(), self.key.clone().into());
        data.insert("account".to_owned(), self.account.clone().into());
        let payload = json!({
            "id": self.id,
            "sequence": self.sequence,
            "type": self.kind.name(),
            "timestamp": self.at.to_string(),
            "data": data,
        });
        payload.to_string()
    }
}
