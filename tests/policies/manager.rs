//! A store with a clock of its own, and what it answers in short.

use std::time::Duration;

use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::key::{Account, KeyDigest, KeyHasher, KeyRecord, KeyRecordBuilder};
use tower_api_key::policy::{KeyPolicy, KeyPolicyBuilder, PolicySubject};
use tower_api_key::store::{
    Change, Command, CommandOptions, KeyManager, ManageError, MemoryStore, NewKey,
};

pub(crate) const fn day(day: u64) -> Timestamp {
    Timestamp::from_unix_seconds(day * 86_400)
}

pub(crate) const fn days(days: u64) -> Duration {
    Duration::from_secs(days * 86_400)
}

/// A key of the account `acme`.
pub(crate) fn key(id: &str) -> KeyRecordBuilder {
    KeyRecord::builder(id, Account::builder("acme").build().unwrap())
}

/// The digest of a secret of this name.
pub(crate) fn named(secret: &str) -> KeyDigest {
    KeyHasher::sha256().digest(secret.as_bytes())
}

/// A store whose clock stands at the first day of 1970.
pub(crate) struct Manager {
    pub(crate) store: MemoryStore,
    pub(crate) clock: ManualClock,
}

impl Manager {
    pub(crate) fn new() -> Self {
        let clock = ManualClock::starting_at(day(0));
        Self { store: MemoryStore::with_clock(clock.clone()), clock }
    }

    /// Sets the policy for a subject.
    pub(crate) async fn set(
        &self,
        subject: &str,
        rules: impl FnOnce(KeyPolicyBuilder) -> KeyPolicyBuilder,
    ) {
        let policy = rules(KeyPolicy::builder(subject.parse().unwrap())).build().unwrap();
        self.store.apply(Command::SavePolicy(policy), CommandOptions::by("ada")).await.unwrap();
    }

    /// Deletes the policy for a subject.
    pub(crate) async fn delete(&self, subject: &str) {
        let subject: PolicySubject = subject.parse().unwrap();
        self.store.apply(Command::DeletePolicy(subject), CommandOptions::by("ada")).await.unwrap();
    }

    /// Adds a key whose secret has the name of its id. Returns the field that a policy refuses.
    pub(crate) async fn add(&self, key: KeyRecordBuilder) -> &'static str {
        self.told(self.store.add(new(key), "ada").await)
    }

    /// Adds a key in place of all others of its owner.
    pub(crate) async fn replace(&self, key: KeyRecordBuilder) -> &'static str {
        self.told(self.store.add(new(key).revoking_others(), "ada").await)
    }

    /// Changes a key. Returns the field that a policy refuses.
    pub(crate) async fn edit(
        &self,
        id: &str,
        change: impl FnOnce(KeyRecordBuilder) -> KeyRecordBuilder + Send + 'static,
    ) -> &'static str {
        self.told(self.store.update(id, Box::new(change), "ada").await)
    }

    /// Returns the field that a policy refuses, `keys` if it refuses another key, or nothing.
    #[allow(clippy::unused_self)] // A method like the others.
    pub(crate) fn told<T>(&self, answer: Result<T, ManageError>) -> &'static str {
        match answer {
            Ok(_) => "",
            Err(ManageError::PolicyViolated(violation)) => violation.field().unwrap_or("keys"),
            Err(other) => panic!("{other}"),
        }
    }

    pub(crate) async fn trail(&self) -> Vec<Change> {
        self.store.changes(0, 1_000).await.unwrap()
    }
}

pub(crate) fn new(key: KeyRecordBuilder) -> NewKey {
    let record = key.build().unwrap();
    NewKey::new(named(record.id().as_str()), record)
}
