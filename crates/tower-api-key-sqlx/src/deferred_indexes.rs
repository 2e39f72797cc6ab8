//! Indexes and foreign keys that a large import into empty tables makes after its rows.
//!
//! A row costs the database less than its entries in the indexes of lists. An index that is made when all rows are there is
//! sorted once, and its pages are written once. A foreign key is then checked by one join instead of a query for each row.
//!
//! All of it is one transaction: if it fails, the tables are as they were. PostgreSQL locks the tables until its end, so
//! that lookups wait. Therefore they must be empty. SQLite has no such lock: others read what was there before.

use super::dialect::Dialect;
use super::row;
use super::statement::Statement;
use super::table_lock::code;
use super::trail::Step;
use tower_api_key::store::ManageError;

/// The keys of an import from which on it pays to make the indexes anew.
const FROM: usize = 20_000;

/// The tables that an import writes. In PostgreSQL, they are locked in the order in which migrations lock them.
const TABLES: [&str; 5] = ["{changes}", "{secrets}", "{keys}", "{tags}", "{accounts}"];

/// No keys, and only few accounts and lines of the trail.
const IS_EMPTY: &str = "SELECT CASE WHEN NOT EXISTS (SELECT 1 FROM {keys}) AND NOT EXISTS (SELECT 1 FROM {secrets}) \
     AND NOT EXISTS (SELECT 1 FROM {tags}) \
     AND (SELECT COUNT(*) FROM (SELECT 1 FROM {accounts} LIMIT 10000) few) < 10000 \
     AND (SELECT COUNT(*) FROM (SELECT 1 FROM {changes} LIMIT 10000) few) < 10000 \
     THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END AS is_empty";

/// The tables whose indexes this role may not make anew.
const NOT_OWN: &str = "SELECT COUNT(*) AS number FROM pg_class c WHERE c.oid IN \
     (to_regclass($1), to_regclass($2), to_regclass($3), to_regclass($4), to_regclass($5)) \
     AND NOT (pg_has_role(c.relowner, 'USAGE') AND has_schema_privilege(c.relnamespace, 'CREATE'))";

/// Waits for each table for less than the server's `deadlock_timeout`.
const LOCK: &str = "SAVEPOINT deferred_indexes; SET LOCAL lock_timeout = '100ms'; \
     LOCK TABLE {changes}, {secrets}, {keys}, {tags}, {accounts} IN ACCESS EXCLUSIVE MODE; \
     SET LOCAL lock_timeout = DEFAULT; SET LOCAL default_tablespace = ''; \
     SET LOCAL maintenance_work_mem = '256MB'; RELEASE SAVEPOINT deferred_indexes";

/// Takes back an attempt to lock.
const UNLOCK: &str = "ROLLBACK TO SAVEPOINT deferred_indexes";

/// What drops and what makes each index of PostgreSQL that has no meaning except for speed, and no settings of its own.
const POSTGRES_INDEXES: &str = "SELECT 'DROP INDEX ' || CAST(CAST(i.indexrelid AS regclass) AS TEXT) AS dropped, \
     pg_get_indexdef(i.indexrelid) AS made FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
     WHERE i.indrelid IN (to_regclass($1), to_regclass($2), to_regclass($3), to_regclass($4), to_regclass($5)) \
     AND NOT i.indisunique AND NOT i.indisexclusion AND i.indisvalid AND NOT i.indisreplident AND NOT i.indisclustered \
     AND c.reltablespace = 0 AND obj_description(c.oid, 'pg_class') IS NULL ORDER BY i.indexrelid";

/// The same for foreign keys among these tables.
const POSTGRES_FOREIGN_KEYS: &str = "SELECT 'ALTER TABLE ' || CAST(CAST(conrelid AS regclass) AS TEXT) \
     || ' DROP CONSTRAINT ' || quote_ident(conname) AS dropped, \
     'ALTER TABLE ' || CAST(CAST(conrelid AS regclass) AS TEXT) || ' ADD CONSTRAINT ' || quote_ident(conname) || ' ' \
     || pg_get_constraintdef(oid) AS made FROM pg_constraint WHERE contype = 'f' AND convalidated \
     AND conrelid IN (to_regclass($1), to_regclass($2), to_regclass($3), to_regclass($4), to_regclass($5)) \
     AND confrelid IN (to_regclass($1), to_regclass($2), to_regclass($3), to_regclass($4), to_regclass($5)) \
     AND obj_description(oid, 'pg_constraint') IS NULL ORDER BY oid";

/// The same for indexes of SQLite. One that belongs to a constraint has no text.
const SQLITE_INDEXES: &str = "SELECT 'DROP INDEX \"' || replace(name, '\"', '\"\"') || '\"' AS dropped, sql AS made \
     FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND sql NOT LIKE 'CREATE UNIQUE%' \
     AND tbl_name IN ($1, $2, $3, $4, $5) ORDER BY name";

/// What makes the indexes that were dropped.
pub(super) struct DeferredIndexes {
    made: Vec<String>,
}

impl Step<'_> {
    /// Drops the indexes and foreign keys that an import of this many keys makes after its rows. Returns `None` if each
    /// row has its entries at once, because tables have rows or are in use, or because this role does not own them.
    pub(super) async fn defer_indexes(
        &mut self,
        keys: usize,
    ) -> Result<Option<DeferredIndexes>, ManageError> {
        if keys < FROM || !self.is_empty().await? {
            return Ok(None);
        }
        let dropped = match self.store.dialect {
            Dialect::Sqlite => {
                let names = TABLES.map(|table| table.trim_matches(['{', '}']));
                let names = names.map(|table| self.store.tables.bare(table));
                self.dropped(SQLITE_INDEXES, &names).await?
            }
            Dialect::Postgres => {
                let names = TABLES.map(|table| self.store.tables.fill(table));
                if !self.copies || !self.owns(&names).await? || !self.lock_all().await? {
                    return Ok(None);
                }
                let mut dropped = self.dropped(POSTGRES_FOREIGN_KEYS, &names).await?;
                // Made first, because a foreign key is checked by a join of whole tables.
                dropped.extend(self.dropped(POSTGRES_INDEXES, &names).await?);
                dropped
            }
        };
        let mut made = Vec::with_capacity(dropped.len());
        for (drop, make) in dropped {
            self.script(&drop).await?;
            made.push(make);
        }
        Ok(Some(DeferredIndexes { made }))
    }

    /// Makes what was dropped.
    pub(super) async fn make_indexes(
        &mut self,
        deferred: DeferredIndexes,
    ) -> Result<(), ManageError> {
        for make in deferred.made {
            self.script(&make).await?;
        }
        Ok(())
    }

    async fn is_empty(&mut self) -> Result<bool, ManageError> {
        let rows = self.fetch(Statement::made(self.store.tables.fill(IS_EMPTY))).await?;
        let Some(found) = rows.first() else { return Ok(false) };
        Ok(row::number(&**found, "is_empty")? == 1)
    }

    async fn owns(&mut self, tables: &[String]) -> Result<bool, ManageError> {
        let rows = self.fetch(with_names(NOT_OWN, tables)).await?;
        let Some(found) = rows.first() else { return Ok(false) };
        Ok(row::number(&**found, "number")? == 0)
    }

    /// Locks the tables, and returns false if a reader does not end soon: then nothing is locked.
    async fn lock_all(&mut self) -> Result<bool, ManageError> {
        match self.script(&self.store.tables.fill(LOCK)).await {
            Ok(()) => Ok(true),
            // Codes: the lock was not available in time; a deadlock.
            Err(ManageError::Store(error)) if matches!(code(&error), Some("55P03" | "40P01")) => {
                self.script(UNLOCK).await?;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Returns pairs of statements that drop and make.
    async fn dropped(
        &mut self,
        asked: &'static str,
        tables: &[String],
    ) -> Result<Vec<(String, String)>, ManageError> {
        let rows = self.fetch(with_names(asked, tables)).await?;
        let pair = |found: &super::driver::Row| {
            Ok((row::text(&**found, "dropped")?, row::text(&**found, "made")?))
        };
        rows.iter().map(pair).collect()
    }
}

fn with_names(asked: &'static str, tables: &[String]) -> Statement {
    tables.iter().fold(Statement::from(asked), |asked, table| asked.bind(table.as_str()))
}
