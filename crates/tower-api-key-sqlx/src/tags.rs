//! The metadata of keys as rows, so that keys can be listed by it.

use super::query;
use super::statement::Statement;
use super::trail::Step;
use tower_api_key::key::KeyRecord;
use tower_api_key::store::ManageError;

/// The rows of one statement. SQLite takes at most 32,766 parameters.
const CHUNK: usize = 5_000;

impl Step<'_> {
    /// Adds the rows of new keys.
    pub(super) async fn add_tags<'r>(
        &mut self,
        records: impl Iterator<Item = &'r KeyRecord>,
    ) -> Result<(), ManageError> {
        let of = |record: &'r KeyRecord| {
            record.all_metadata().map(|(name, value)| (name, value, record.id().as_str()))
        };
        let mut tags: Vec<_> = records.flat_map(of).collect();
        // In the order of the table.
        tags.sort_unstable();
        let into = &self.store.queries.into_tags;
        let bind = |row: Statement, (name, value, id): &(&str, &str, &str)| {
            row.bind(*name).bind(*value).bind(*id)
        };
        if self.copies {
            // In PostgreSQL, a new key has no tags: they are deleted with their key.
            self.add_rows(into, 3, &tags, bind).await?;
            return Ok(());
        }
        for chunk in tags.chunks(CHUNK) {
            self.insert(into, 3, chunk, query::UNLESS_THERE, bind).await?;
        }
        Ok(())
    }

    /// Replaces the rows of a key.
    pub(super) async fn replace_tags(&mut self, record: &KeyRecord) -> Result<(), ManageError> {
        let deleted = Statement::new(&self.store.queries.delete_tags);
        self.execute(deleted.bind(record.id().as_str())).await?;
        self.add_tags(std::iter::once(record)).await
    }
}
