//! Prunes events.

use crate::SqlStore;
use tower_api_key::clock::Timestamp;
use tower_api_key::store::StoreError;

impl SqlStore {
    /// Deletes the events that are older than an instant, and returns their number. Deliveries and dead letters of these
    /// events are deleted, too. An [`EventSweep`](crate::EventSweep) does this after 30 days unless set.
    ///
    /// # Errors
    ///
    /// Returns a [`StoreError`] if the database cannot answer. Events of earlier transactions stay deleted then.
    pub async fn prune_events(&self, before: Timestamp) -> Result<u64, StoreError> {
        let Self { events, .. } = self;
        let statements = [&events.prune_deliveries, &events.prune_events];
        self.prune(before, &events.first_that_stays, &statements).await
    }

    /// Returns how many events [`prune_events`](Self::prune_events) would delete.
    ///
    /// # Errors
    ///
    /// Returns a [`StoreError`] if the database cannot answer.
    pub async fn prunable_events(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.prunable(before, &self.events.first_that_stays, &self.events.count_before).await
    }
}
