//! Dead letters: events that a sink did not take in any try.

use super::waiting::WaitingEvent;
use crate::SqlStore;
use crate::dialect::Dialect;
use crate::statement::Statement;
use crate::{notify, query};
use tower_api_key::events::Event;
use tower_api_key::store::StoreError;

/// An event that a sink did not take in any try.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct DeadEvent {
    /// The name of the sink.
    pub sink: String,
    /// The event.
    pub event: Event,
    /// How often it was sent.
    pub tries: u64,
    /// Why the last try failed.
    pub error: Option<String>,
}

impl SqlStore {
    /// Returns dead letters after a sequence, oldest first: those of one sink, or those of all.
    ///
    /// # Errors
    ///
    /// Returns a [`StoreError`] if the database cannot answer.
    pub async fn dead_events(
        &self,
        sink: Option<&str>,
        after: u64,
        limit: usize,
    ) -> Result<Vec<DeadEvent>, StoreError> {
        let found = self.undelivered(true, sink, after, limit).await?;
        let dead = |WaitingEvent { sink, event, tries, error, .. }| DeadEvent {
            sink,
            event,
            tries,
            error,
        };
        Ok(found.into_iter().map(dead).collect())
    }

    /// Returns true if a process has delivered to a sink of this name.
    ///
    /// # Errors
    ///
    /// Returns a [`StoreError`] if the database cannot answer.
    pub async fn has_event_sink(&self, sink: &str) -> Result<bool, StoreError> {
        Ok(self.position(sink).await?.is_some())
    }

    /// Sends dead letters of a sink again, with all tries: the one of a sequence, or all. Returns their number. Later
    /// events of the same keys may have arrived before.
    ///
    /// # Errors
    ///
    /// Returns a [`StoreError`] if the database cannot answer.
    pub async fn replay_dead(&self, sink: &str, sequence: Option<u64>) -> Result<u64, StoreError> {
        let sequence = sequence.map_or(0, |sequence| number(sequence.max(1)));
        self.replay(Statement::new(&self.events.replay_dead).bind(sink).bind(sequence)).await
    }

    /// Sends a sink all events after a sequence again, as after a loss of the receiver's data. Returns their number.
    ///
    /// # Errors
    ///
    /// Returns a [`StoreError`] if the database cannot answer.
    pub async fn replay_events(&self, sink: &str, after: u64) -> Result<u64, StoreError> {
        self.replay(Statement::new(&self.events.replay_after).bind(sink).bind(number(after))).await
    }

    async fn replay(&self, statement: Statement) -> Result<u64, StoreError> {
        let mut session = self.transaction().await?;
        let replayed = session.execute(statement).await?;
        if self.dialect == Dialect::Postgres {
            let notify = Statement::from(query::NOTIFY).bind(notify::EVENTS).bind("");
            session.fetch(notify).await?;
        }
        session.commit().await?;
        Ok(replayed)
    }
}

fn number(sequence: u64) -> i64 {
    i64::try_from(sequence).unwrap_or(i64::MAX)
}
