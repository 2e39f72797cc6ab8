//! Fills in the tags of keys that a program before step 5 added or changed: it writes no tags.
//!
//! Each connect looks at the changes since the last one, so tags are whole once no such program runs any more. A batch
//! is one transaction, and moves the place up to which all is filled in. So a crash loses no more than a batch, and of
//! two processes one goes on.

use std::collections::{BTreeMap, BTreeSet};

use super::SqlStore;
use super::dialect::Dialect;
use super::json::json;
use super::row;
use super::session::Session;
use super::statement::Statement;
use tower_api_key::store::StoreError;

/// The keys of a batch, or the changes of one.
const BATCH: usize = 2_000;

const PLACE: &str = "SELECT key_id, sequence FROM {fills} WHERE name = 'tags'";
const KEYS: &str = "SELECT k.id, k.metadata, t.name, t.value FROM \
     (SELECT id, metadata FROM {keys} WHERE id > $1 ORDER BY id LIMIT $2) k \
     LEFT JOIN {tags} t ON t.key_id = k.id ORDER BY k.id";
const CHANGES: &str = "SELECT c.sequence, k.id, k.metadata, t.name, t.value FROM \
     (SELECT sequence, key_id FROM {changes} WHERE sequence > $1 ORDER BY sequence LIMIT $2) c \
     LEFT JOIN {keys} k ON k.id = c.key_id LEFT JOIN {tags} t ON t.key_id = k.id ORDER BY c.sequence";
/// Only one process moves a place on.
const MOVE_BY_KEYS: &str =
    "UPDATE {fills} SET key_id = $2 WHERE name = 'tags' AND key_id = $1 AND sequence = $3";
const MOVE_BY_CHANGES: &str =
    "UPDATE {fills} SET sequence = $2 WHERE name = 'tags' AND key_id IS NULL AND sequence = $1";
const METADATA: &str = "SELECT metadata FROM {keys} WHERE id = $1";
const DELETE: &str = "DELETE FROM {tags} WHERE key_id = $1";
const INSERT: &str =
    "INSERT INTO {tags} (name, value, key_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";

/// A batch that was read.
#[derive(Debug, Default)]
struct TagBatch {
    /// The keys whose tags differ from their metadata.
    wrong: Vec<String>,
    /// The last key, and the number of the last change.
    last_key: Option<String>,
    last_change: Option<i64>,
    /// The number of keys, or of changes.
    looked_at: usize,
}

impl SqlStore {
    /// Fills in the tags, as far as this process may write them. The next connect goes on where this one ends.
    pub(super) async fn fill_tags(&self) {
        // A role without write access, or a standby server, leaves it to others.
        while matches!(self.fill_batch_of_tags().await, Ok(true)) {}
    }

    /// Fills in a batch, and returns true if there may be another one.
    pub(super) async fn fill_batch_of_tags(&self) -> Result<bool, StoreError> {
        let rows = self.read(self.of_fill(PLACE)).await?;
        let Some(place) = rows.first() else { return Ok(false) };
        let sequence = row::number(&**place, "sequence")?;
        let Some(key) = row::optional(&**place, "key_id")? else {
            return self.fill_by_changes(sequence).await;
        };
        let batch = self.batch(self.of_fill(KEYS).bind(key.as_str())).await?;
        let moved =
            self.of_fill(MOVE_BY_KEYS).bind(key).bind(batch.last_key.clone()).bind(sequence);
        self.fill(&batch, moved).await
    }

    async fn fill_by_changes(&self, sequence: i64) -> Result<bool, StoreError> {
        let batch = self.batch(self.of_fill(CHANGES).bind(sequence)).await?;
        let is_full = batch.looked_at >= BATCH;
        let Some(last) = batch.last_change.filter(|_| is_full || !batch.wrong.is_empty()) else {
            // A connect that has nothing to do writes nothing. The next one looks at the same few changes.
            return Ok(false);
        };
        let moved = self.of_fill(MOVE_BY_CHANGES).bind(sequence).bind(last);
        Ok(self.fill(&batch, moved).await? && is_full)
    }

    /// Moves the place on, and corrects the tags of a batch. Returns false if another process has moved the place.
    async fn fill(&self, batch: &TagBatch, moved: Statement) -> Result<bool, StoreError> {
        let mut session = self.transaction().await?;
        if self.dialect == Dialect::Postgres && !batch.wrong.is_empty() {
            // No other change runs until this one ends. SQLite has one writer.
            session.execute(Statement::new(&self.queries.lock_changes)).await?;
        }
        if session.execute(moved).await? == 0 {
            return Ok(false);
        }
        for id in &batch.wrong {
            self.correct(&mut session, id).await?;
        }
        session.commit().await?;
        Ok(true)
    }

    /// Replaces the tags of a key by its metadata.
    async fn correct(&self, session: &mut Session, id: &str) -> Result<(), StoreError> {
        let rows = session.fetch(self.of_fill(METADATA).bind(id)).await?;
        let Some(found) = rows.first() else { return Ok(()) };
        let Ok(tags) = json::<BTreeMap<String, String>>(&row::text(&**found, "metadata")?) else {
            return Ok(());
        };
        session.execute(self.of_fill(DELETE).bind(id)).await?;
        for (name, value) in tags {
            session.execute(self.of_fill(INSERT).bind(name).bind(value).bind(id)).await?;
        }
        Ok(())
    }

    /// Reads a batch. Each row has a key and one of its tags.
    async fn batch(&self, asked: Statement) -> Result<TagBatch, StoreError> {
        let rows = self.read(asked.bind(i64::try_from(BATCH).unwrap_or(i64::MAX))).await?;
        let mut batch = TagBatch::default();
        let mut keys: BTreeMap<String, (String, BTreeSet<(String, String)>)> = BTreeMap::new();
        let mut changes = BTreeSet::new();
        for row in &rows {
            if let Ok(Some(sequence)) = row.number("sequence") {
                changes.insert(sequence);
            }
            let Some(id) = row::optional(&**row, "id")? else { continue };
            let metadata = row::text(&**row, "metadata")?;
            let (_, tags) = keys.entry(id).or_insert_with(|| (metadata, BTreeSet::new()));
            let tag = row::optional(&**row, "name")?.zip(row::optional(&**row, "value")?);
            tags.extend(tag);
        }
        batch.looked_at = keys.len().max(changes.len());
        batch.last_change = changes.last().copied();
        batch.last_key = keys.keys().next_back().cloned();
        let is_wrong = |(id, (metadata, tags)): (String, (String, BTreeSet<_>))| {
            // A row that no program can read has no tags.
            let read: BTreeMap<String, String> = json(&metadata).ok()?;
            (read.into_iter().collect::<BTreeSet<_>>() != tags).then_some(id)
        };
        batch.wrong = keys.into_iter().filter_map(is_wrong).collect();
        Ok(batch)
    }

    /// Returns a statement with the names of this store's tables.
    fn of_fill(&self, text: &str) -> Statement {
        Statement::made(self.tables.fill(text))
    }
}
