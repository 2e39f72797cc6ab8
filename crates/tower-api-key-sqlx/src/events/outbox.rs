//! The outbox: a log of events in the database.

use std::collections::HashMap;

use super::event_row;
use crate::SqlStore;
use crate::row;
use crate::statement::Statement;
use crate::trail::Step;
use tower_api_key::clock::Timestamp;
use tower_api_key::events::{Event, EventFuture, EventLog, EventSubject, Occurrence};
use tower_api_key::key::KeyDigest;
use tower_api_key::store::{ManageError, StoreError};

/// The most occurrences of one transaction.
const CHUNK: usize = 250;

impl EventLog for SqlStore {
    fn record(&self, occurrences: Vec<Occurrence>) -> EventFuture<'_, u64> {
        Box::pin(async move {
            let mut written = 0;
            for chunk in occurrences.chunks(CHUNK) {
                written += self.record_new(chunk).await.map_err(cause)?;
            }
            Ok(written)
        })
    }

    fn events(&self, after: u64, limit: usize) -> EventFuture<'_, Vec<Event>> {
        Box::pin(async move {
            let asked = Statement::new(&self.events.list)
                .bind(i64::try_from(after).unwrap_or(i64::MAX))
                .bind(i64::try_from(limit).unwrap_or(i64::MAX));
            let rows = self.read(asked).await?;
            rows.iter().map(|found| event_row::read(&**found)).collect()
        })
    }
}

impl SqlStore {
    /// Writes the events of occasions that have none, in one transaction.
    async fn record_new(&self, occurrences: &[Occurrence]) -> Result<u64, ManageError> {
        // Anyone can send unknown keys in clear. They must not take the lock of all changes.
        let occurrences = self.of_keys(occurrences).await?;
        let known = self.known_occasions(&occurrences).await?;
        let is_known = |occurrence: &&Occurrence| {
            let EventSubject::Key(key) = &occurrence.subject else { return false };
            let key = if occurrence.of_account { "" } else { key };
            let name =
                (key.to_owned(), occurrence.kind.name().to_owned(), occurrence.occasion.clone());
            known.get(&name).is_some_and(|ends| *ends > occurrence.at)
        };
        let new: Vec<_> = occurrences.iter().filter(|occurrence| !is_known(occurrence)).collect();
        if new.is_empty() {
            return Ok(0);
        }
        // The lock of a change gives events the order in which they become visible.
        let mut step = self.begin_events().await?;
        let events = step.events_of(&new).await?;
        let count = events.len() as u64;
        step.write_events(events).await?;
        step.commit().await?;
        Ok(count)
    }

    /// Names the keys of digests, and leaves out what is of no key of this store.
    async fn of_keys(&self, occurrences: &[Occurrence]) -> Result<Vec<Occurrence>, StoreError> {
        let digests: Vec<&KeyDigest> = occurrences
            .iter()
            .filter_map(|occurrence| match &occurrence.subject {
                EventSubject::Digest(digest) => Some(digest),
                _ => None,
            })
            .collect();
        let mut keys = HashMap::new();
        if !digests.is_empty() {
            let placeholders = self.dialect.placeholders(1, digests.len());
            let sql = format!("{} ({placeholders})", self.events.keys_of_digests.as_str());
            let bind = |all: Statement, digest: &KeyDigest| all.bind(digest.as_bytes().to_vec());
            let asked = digests.into_iter().fold(Statement::made(sql), bind);
            for found in self.read(asked).await? {
                keys.insert(row::digest(&*found)?, row::text(&*found, "key_id")?);
            }
        }
        let of_key = |occurrence: &Occurrence| {
            let mut occurrence = occurrence.clone();
            if let EventSubject::Digest(digest) = &occurrence.subject {
                occurrence.subject = EventSubject::Key(keys.get(digest)?.clone());
            }
            Some(occurrence)
        };
        Ok(occurrences.iter().filter_map(of_key).collect())
    }

    /// Reads the occasions of keys without a lock. Most keys have had their events.
    async fn known_occasions(
        &self,
        occurrences: &[Occurrence],
    ) -> Result<HashMap<(String, String, String), Timestamp>, StoreError> {
        let keys: Vec<&str> = occurrences
            .iter()
            .filter_map(|occurrence| match &occurrence.subject {
                EventSubject::Key(key) if !occurrence.of_account => Some(key.as_str()),
                _ => None,
            })
            .collect();
        if keys.is_empty() {
            return Ok(HashMap::new());
        }
        let placeholders = self.dialect.placeholders(1, keys.len());
        let sql = format!("{} ({placeholders})", self.events.occasions_of_keys.as_str());
        let asked = keys.into_iter().fold(Statement::made(sql), Statement::bind);
        let occasion = |found: &crate::driver::Row| {
            let text = |column| row::text(&**found, column);
            let ends = row::timestamp(row::number(&**found, "ends")?);
            Ok(((text("key_id")?, text("kind")?, text("name")?), ends))
        };
        self.read(asked).await?.iter().map(occasion).collect()
    }
}

impl Step<'_> {
    /// Writes the event of an occurrence in this transaction. Returns false if the occasion has its event.
    pub(crate) async fn note_occurrence(
        &mut self,
        occurrence: &Occurrence,
    ) -> Result<bool, ManageError> {
        let events = self.events_of(&[occurrence]).await?;
        let is_new = !events.is_empty();
        self.write_events(events).await?;
        Ok(is_new)
    }
}

/// Returns the error of the database.
pub(crate) fn cause(error: ManageError) -> StoreError {
    match error {
        ManageError::Store(error) => error,
        other => StoreError::new(other),
    }
}
