//! The queue of a sink: the events that it has not received.

use super::event_row;
use crate::SqlStore;
use crate::row;
use crate::statement::Statement;
use tower_api_key::clock::Timestamp;
use tower_api_key::events::{Event, EventSink};
use tower_api_key::store::StoreError;

/// The events that enter a queue in one transaction.
const CHUNK: usize = 500;

/// An event that is due, and how often its delivery has failed.
pub(super) struct DueEvent {
    pub(super) event: Event,
    pub(super) tries: usize,
}

impl SqlStore {
    /// Adds a sink that is new. It gets the events that are written from now on.
    pub(super) async fn add_sink(&self, name: &str) -> Result<(), StoreError> {
        if self.position(name).await?.is_some() {
            return Ok(());
        }
        let mut session = self.transaction().await?;
        session.execute(Statement::new(&self.events.add_sink).bind(name)).await?;
        session.commit().await
    }

    pub(super) async fn position(&self, name: &str) -> Result<Option<i64>, StoreError> {
        let rows = self.read(Statement::new(&self.events.position).bind(name)).await?;
        rows.first().map(|found| row::number(&**found, "position")).transpose()
    }

    /// Puts the events after a sink's position into its queue.
    pub(super) async fn enqueue(&self, sink: &dyn EventSink) -> Result<(), StoreError> {
        loop {
            let Some(position) = self.position(sink.name()).await? else { return Ok(()) };
            let asked = Statement::new(&self.events.list).bind(position);
            let rows = self.read(asked.bind(i64::try_from(CHUNK).unwrap_or(i64::MAX))).await?;
            let (mut wanted, mut last) = (Vec::new(), position);
            for found in &rows {
                last = row::number(&**found, "sequence")?;
                let event = event_row::read(&**found)?;
                if sink.wants(&event) {
                    wanted.push((last, event.key));
                }
            }
            if last == position {
                return Ok(());
            }
            if !self.advance(sink.name(), position, last, &wanted).await? {
                // Another process was faster: its lease began when this one's had ended.
                return Ok(());
            }
        }
    }

    /// Moves a sink's position, and queues the wanted events in the same transaction.
    async fn advance(
        &self,
        sink: &str,
        from: i64,
        to: i64,
        wanted: &[(i64, String)],
    ) -> Result<bool, StoreError> {
        let mut session = self.transaction().await?;
        let moved = Statement::new(&self.events.advance).bind(sink).bind(from).bind(to);
        if session.execute(moved).await? == 0 {
            return Ok(false);
        }
        if !wanted.is_empty() {
            let row =
                |row: usize| format!("({}, 0, 0, 0)", self.dialect.placeholders(row * 3 + 1, 3));
            let values: Vec<String> = (0..wanted.len()).map(row).collect();
            let into = self.events.into_deliveries.as_str();
            let sql = format!("{into} VALUES {} ON CONFLICT DO NOTHING", values.join(", "));
            let queued = wanted.iter().fold(Statement::made(sql), |row, (sequence, key)| {
                row.bind(sink).bind(*sequence).bind(key.as_str())
            });
            session.execute(queued).await?;
        }
        session.commit().await?;
        Ok(true)
    }

    /// Returns events that are due: of each key the oldest one.
    pub(super) async fn due(&self, sink: &str, limit: i64) -> Result<Vec<DueEvent>, StoreError> {
        let now = row::column(self.clock.now());
        let asked = Statement::new(&self.events.due).bind(sink).bind(now).bind(limit);
        let due = |found: &crate::driver::Row| {
            let tries = usize::try_from(row::number(&**found, "tries")?).unwrap_or(0);
            Ok(DueEvent { event: event_row::read(&**found)?, tries })
        };
        self.read(asked).await?.iter().map(due).collect()
    }

    /// Removes an event from a queue: the sink has it, or does not want it.
    pub(super) async fn note_delivered(&self, sink: &str, event: &Event) -> Result<(), StoreError> {
        let done = Statement::new(&self.events.delivered).bind(sink).bind(sequence(event));
        self.write_one(done).await
    }

    /// Records a failed try. Without a next one, the event is a dead letter.
    pub(super) async fn note_failed(
        &self,
        sink: &str,
        due: &DueEvent,
        next: Option<Timestamp>,
        error: &str,
    ) -> Result<(), StoreError> {
        let failed = Statement::new(&self.events.failed)
            .bind(sink)
            .bind(sequence(&due.event))
            .bind(i64::try_from(due.tries + 1).unwrap_or(i64::MAX))
            .bind(next.map_or(0, row::column))
            .bind(i64::from(next.is_none()))
            .bind(shortened(error));
        self.write_one(failed).await
    }

    async fn write_one(&self, statement: Statement) -> Result<(), StoreError> {
        let mut session = self.transaction().await?;
        session.execute(statement).await?;
        session.commit().await
    }
}

fn sequence(event: &Event) -> i64 {
    i64::try_from(event.sequence).unwrap_or(i64::MAX)
}

/// Cuts a text to what a person reads. PostgreSQL stores no NUL.
fn shortened(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(300).collect()
}
