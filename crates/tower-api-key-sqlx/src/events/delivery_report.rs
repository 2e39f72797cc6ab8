//! What a delivery reports while it runs.

use std::sync::Arc;

use tower_api_key::events::Event;
use tower_api_key::store::StoreError;

/// What an [`EventDelivery`](super::EventDelivery) reports while it runs, for a log or an alarm.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum DeliveryReport<'a> {
    /// The database could not answer, and the look before had succeeded. The next looks try again.
    Failed {
        /// The name of the sink.
        sink: &'a str,
        /// The cause.
        error: &'a StoreError,
    },
    /// A sink took an event in none of its tries: the event is a [dead letter](crate::SqlStore::dead_events).
    Dead {
        /// The name of the sink.
        sink: &'a str,
        /// The event.
        event: &'a Event,
        /// Why the last try failed.
        error: &'a str,
    },
}

/// The function that a delivery calls.
#[derive(Clone, Default)]
pub(super) struct DeliveryReporter(Option<Arc<ReportFunction>>);

type ReportFunction = dyn Fn(DeliveryReport<'_>) + Send + Sync;

impl DeliveryReporter {
    pub(super) fn new(report: impl Fn(DeliveryReport<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(report)))
    }

    pub(super) fn report(&self, report: DeliveryReport<'_>) {
        if let Some(function) = &self.0 {
            function(report);
        }
    }
}
