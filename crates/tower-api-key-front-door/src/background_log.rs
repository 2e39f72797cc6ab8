//! What is logged of the tasks beside the requests: no client learns that one of them fails.

use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};

use tower_api_key::events::{Event, EventFuture, EventLog, Occurrence};
use tower_api_key::store::{ManageError, StoreError};
use tower_api_key::usage::{UsageBatch, UsageFuture, UsageSink};
use tower_api_key_sqlx::{DeliveryReport, SqlStore};

/// Writes events of requests or usage into a database, and logs a write that fails after one that did not. It is tried
/// again.
pub(crate) struct LoggedWrites {
    database: SqlStore,
    is_failing: AtomicBool,
}

impl LoggedWrites {
    pub(crate) const fn new(database: SqlStore) -> Self {
        Self { database, is_failing: AtomicBool::new(false) }
    }

    /// Logs a failure, unless the write before has failed, too.
    fn note<T>(&self, what: &str, written: &Result<T, StoreError>) {
        let was_failing = self.is_failing.swap(written.is_err(), Ordering::Relaxed);
        if let (Err(error), false) = (written, was_failing) {
            failed(what, error);
        }
    }
}

impl EventLog for LoggedWrites {
    fn record(&self, occurrences: Vec<Occurrence>) -> EventFuture<'_, u64> {
        Box::pin(async move {
            let written = self.database.record(occurrences).await;
            self.note("events of requests cannot be written", &written);
            written
        })
    }

    fn events(&self, after: u64, limit: usize) -> EventFuture<'_, Vec<Event>> {
        self.database.events(after, limit)
    }
}

impl UsageSink for LoggedWrites {
    fn write<'a>(&'a self, batch: &'a UsageBatch) -> UsageFuture<'a, ()> {
        Box::pin(async move {
            let written = UsageSink::write(&self.database, batch).await;
            self.note("usage cannot be written", &written);
            written
        })
    }
}

/// Logs what a delivery reports.
#[cfg_attr(not(feature = "tracing"), allow(unused_variables))]
pub(crate) fn delivery(report: DeliveryReport<'_>) {
    match report {
        DeliveryReport::Failed { sink, error } => {
            #[cfg(feature = "tracing")]
            tracing::warn!(sink, cause = %cause(error), "events cannot be delivered");
        }
        DeliveryReport::Dead { sink, event, error } => {
            #[cfg(feature = "tracing")]
            tracing::warn!(
                sink,
                sequence = event.sequence,
                r#type = event.kind.name(),
                key_id = event.key,
                cause = error,
                "a sink took an event in none of its tries: it is a dead letter"
            );
        }
        _ => {}
    }
}

/// Logs that the last uses of keys could not be written.
pub(crate) fn uses(error: &ManageError) {
    failed("the last uses of keys cannot be written", error);
}

/// Logs that digests by the current pepper could not be written.
pub(crate) fn digests(error: &ManageError) {
    failed("digests by the current pepper cannot be written", error);
}

/// Logs a failure of a task.
#[cfg_attr(not(feature = "tracing"), allow(unused_variables))]
pub(crate) fn failed(what: &str, error: &dyn Error) {
    #[cfg(feature = "tracing")]
    tracing::warn!(cause = %cause(error), "{what}");
}

/// Returns the last cause of a failure, which says most.
#[cfg_attr(not(feature = "tracing"), allow(dead_code))]
fn cause(error: &dyn Error) -> &dyn Error {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause
}
