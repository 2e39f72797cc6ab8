//! Prunes events.

use crate::SqlStore;
use crate::row;
use crate::statement::Statement;
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
        let asked = Statement::new(&self.events.first_that_stays).bind(row::column(before));
        let found = self.read_within(asked, self.settings.change_timeout).await?;
        let first =
            found.first().map(|row| row::optional_number(&**row, "sequence")).transpose()?;
        let Some(first) = first.flatten() else { return Ok(0) };
        let mut pruned = 0;
        loop {
            let mut session = self.transaction().await?;
            session.execute(Statement::new(&self.events.prune_deliveries).bind(first)).await?;
            let deleted =
                session.execute(Statement::new(&self.events.prune_events).bind(first)).await?;
            session.commit().await?;
            pruned += deleted;
            if deleted == 0 {
                return Ok(pruned);
            }
        }
    }
}
