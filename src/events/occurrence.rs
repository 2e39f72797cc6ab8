//! What happened, before it is an event.

use serde_json::{Map, Value};

use super::kind::EventKind;
use crate::clock::Timestamp;
use crate::key::KeyDigest;

/// The key of an occurrence.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventSubject {
    /// The key with this id.
    Key(String),
    /// The key whose secret has this digest, if there is one.
    Digest(KeyDigest),
}

/// What happened to a key. A store makes at most one event of it for an occasion.
///
/// ```
/// use tower_api_key::clock::Timestamp;
/// use tower_api_key::events::{EventKind, EventSubject, Occurrence};
///
/// let now = Timestamp::from_unix_seconds(1_000);
/// let subject = EventSubject::Key("key_1".to_owned());
/// let used = Occurrence::new(EventKind::FirstUse, subject, now); // once for the key
/// assert_eq!(used.until, Timestamp::MAX);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Occurrence {
    /// What happened.
    pub kind: EventKind,
    /// The key.
    pub subject: EventSubject,
    /// When it happened.
    pub at: Timestamp,
    /// The name of the occasion. One key and kind has at most one event for each occasion.
    pub occasion: String,
    /// Whether all keys of the account share the occasion.
    pub of_account: bool,
    /// When the occasion ends. From then on, the same name is another occasion.
    pub until: Timestamp,
    /// What else is known, by name.
    pub data: Map<String, Value>,
}

impl Occurrence {
    /// Describes what happens once in the life of a key.
    pub fn new(kind: EventKind, subject: EventSubject, at: Timestamp) -> Self {
        let (occasion, data) = (String::new(), Map::new());
        Self { kind, subject, at, occasion, of_account: false, until: Timestamp::MAX, data }
    }

    /// Names the occasion, and sets its end.
    #[must_use]
    pub fn once(self, occasion: impl Into<String>, until: Timestamp) -> Self {
        Self { occasion: occasion.into(), until, ..self }
    }

    /// Lets all keys of the account share the occasion.
    #[must_use]
    pub fn once_for_account(self) -> Self {
        Self { of_account: true, ..self }
    }

    /// Adds what else is known.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.data.insert(name.to_owned(), value.into());
        self
    }
}
