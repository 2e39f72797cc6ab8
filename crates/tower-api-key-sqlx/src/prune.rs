//! Prunes the trail of changes.

use sqlx::SqlStr;

use super::connect::SqlStore;
use super::row;
use super::statement::Statement;
use tower_api_key::clock::Timestamp;
use tower_api_key::store::StoreError;

impl SqlStore {
    /// Deletes the lines of the trail that are older than an instant, and returns their number. The newest line
    /// always stays, so that a reader of [`KeyFeed`](tower_api_key::store::KeyFeed) still knows its position.
    ///
    /// A reader that was away since before the oldest line that stays copies the whole store anew. So keep the lines
    /// of some days. Lines are deleted from the beginning of the trail, in transactions of 10,000 lines. A line
    /// stays if one before it is young enough, as after a clock was set back.
    ///
    /// Do not delete lines by hand: each reader would copy the whole store anew.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use tower_api_key_sqlx::SqlStore;
    ///
    /// # async fn example() -> Result<(), tower_api_key::store::StoreError> {
    /// let store = SqlStore::connect("sqlite:keys.db").await?;
    /// let year = Duration::from_secs(365 * 24 * 60 * 60);
    /// let pruned = store.prune_trail((SystemTime::now() - year).into()).await?;
    /// println!("{pruned} lines of the trail were deleted");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns a [`StoreError`] if the database cannot answer, or if the role may not delete. Lines of earlier
    /// transactions stay deleted then.
    pub async fn prune_trail(&self, before: Timestamp) -> Result<u64, StoreError> {
        let queries = &self.queries;
        self.prune(before, &queries.first_that_stays, &[&queries.prune_trail]).await
    }

    /// Returns how many lines [`prune_trail`](Self::prune_trail) would delete.
    ///
    /// # Errors
    ///
    /// Returns a [`StoreError`] if the database cannot answer.
    pub async fn prunable_trail(&self, before: Timestamp) -> Result<u64, StoreError> {
        let queries = &self.queries;
        self.prunable(before, &queries.first_that_stays, &queries.count_before).await
    }

    /// Counts the rows before the first that stays.
    pub(super) async fn prunable(
        &self,
        before: Timestamp,
        first_that_stays: &SqlStr,
        count_before: &SqlStr,
    ) -> Result<u64, StoreError> {
        let Some(first) = self.first_that_stays(before, first_that_stays).await? else {
            return Ok(0);
        };
        let asked = Statement::new(count_before).bind(first);
        let found = self.read_within(asked, self.settings.change_timeout).await?;
        let counted = found.first().map(|row| row::number(&**row, "counted")).transpose()?;
        Ok(u64::try_from(counted.unwrap_or_default()).unwrap_or_default())
    }

    /// Finds the first row that stays. `None` if there are no rows.
    async fn first_that_stays(
        &self,
        before: Timestamp,
        query: &SqlStr,
    ) -> Result<Option<i64>, StoreError> {
        let asked = Statement::new(query).bind(row::column(before));
        let found = self.read_within(asked, self.settings.change_timeout).await?;
        let first =
            found.first().map(|row| row::optional_number(&**row, "sequence")).transpose()?;
        Ok(first.flatten())
    }

    /// Deletes the rows before the first that stays, some in each transaction. Returns how many the last one of the
    /// statements deleted.
    pub(super) async fn prune(
        &self,
        before: Timestamp,
        first_that_stays: &SqlStr,
        statements: &[&SqlStr],
    ) -> Result<u64, StoreError> {
        let Some(first) = self.first_that_stays(before, first_that_stays).await? else {
            return Ok(0);
        };
        let mut pruned = 0;
        loop {
            let mut session = self.transaction().await?;
            let mut deleted = 0;
            for statement in statements {
                deleted = session.execute(Statement::new(statement).bind(first)).await?;
            }
            session.commit().await?;
            pruned += deleted;
            if deleted == 0 {
                return Ok(pruned);
            }
        }
    }
}
