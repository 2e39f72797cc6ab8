//! The log of events that a store keeps.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::event::Event;
use super::occurrence::Occurrence;
use crate::error::StoreError;

/// The future that an [`EventLog`] returns.
pub type EventFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A store that keeps events: an outbox.
pub trait EventLog: Send + Sync + 'static {
    /// Makes events of occurrences, and returns their number. An occurrence makes no event if its occasion has one, or if
    /// no key is its subject. All events are written, or none. Several processes may write at once.
    fn record(&self, occurrences: Vec<Occurrence>) -> EventFuture<'_, u64>;

    /// Returns the events after a position, oldest first. A later call never finds an event at or before a position that
    /// was returned.
    fn events(&self, after: u64, limit: usize) -> EventFuture<'_, Vec<Event>>;
}

impl<L: EventLog + ?Sized> EventLog for Arc<L> {
    fn record(&self, occurrences: Vec<Occurrence>) -> EventFuture<'_, u64> {
        (**self).record(occurrences)
    }

    fn events(&self, after: u64, limit: usize) -> EventFuture<'_, Vec<Event>> {
        (**self).events(after, limit)
    }
}
