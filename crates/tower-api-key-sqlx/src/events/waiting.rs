//! Events that wait for a sink.

use super::event_row;
use crate::SqlStore;
use crate::row;
use crate::statement::Statement;
use tower_api_key::clock::Timestamp;
use tower_api_key::events::Event;
use tower_api_key::store::StoreError;

/// An event that a sink has not taken yet.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct WaitingEvent {
    /// The name of the sink.
    pub sink: String,
    /// The event.
    pub event: Event,
    /// How often it was sent.
    pub tries: u64,
    /// When it is sent again at the earliest. `None` before the first try: it is sent as soon as a process delivers to the
    /// sink and has delivered the earlier events of the same key.
    pub next_try: Option<Timestamp>,
    /// Why the last try failed.
    pub error: Option<String>,
}

impl SqlStore {
    /// Returns events after a sequence that wait for their sinks, oldest first: those of one sink, or those of all. What
    /// was written since a process last looked for events of a sink is not among them.
    ///
    /// # Errors
    ///
    /// Returns a [`StoreError`] if the database cannot answer.
    ///
    /// ```
    /// use tower_api_key::store::StoreError;
    /// use tower_api_key_sqlx::SqlStore;
    ///
    /// async fn failing(store: &SqlStore) -> Result<bool, StoreError> {
    ///     let waiting = store.waiting_events(Some("billing"), 0, 100).await?;
    ///     Ok(waiting.iter().any(|waiting| waiting.error.is_some()))
    /// }
    /// ```
    pub async fn waiting_events(
        &self,
        sink: Option<&str>,
        after: u64,
        limit: usize,
    ) -> Result<Vec<WaitingEvent>, StoreError> {
        self.undelivered(false, sink, after, limit).await
    }

    /// Returns what sinks have not taken: dead letters, or what is still tried.
    pub(super) async fn undelivered(
        &self,
        dead: bool,
        sink: Option<&str>,
        after: u64,
        limit: usize,
    ) -> Result<Vec<WaitingEvent>, StoreError> {
        let asked = Statement::new(&self.events.undelivered)
            .bind(i64::from(dead))
            .bind(sink.unwrap_or_default())
            .bind(i64::try_from(after).unwrap_or(i64::MAX))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let waiting = |found: &crate::driver::Row| {
            let due = row::timestamp(row::number(&**found, "due")?);
            Ok(WaitingEvent {
                sink: row::text(&**found, "sink")?,
                event: event_row::read(&**found)?,
                tries: u64::try_from(row::number(&**found, "tries")?).unwrap_or(0),
                next_try: Some(due).filter(|due| *due > Timestamp::default()),
                error: row::optional(&**found, "error")?,
            })
        };
        self.read(asked).await?.iter().map(waiting).collect()
    }
}
