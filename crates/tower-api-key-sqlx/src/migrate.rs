//! Brings the store's tables up to date, and touches no others.
//!
//! A table lists the steps that were applied, each with a checksum. If all are applied, a connect only reads
//! that table. So a role without write access can connect, also to a standby server.
//!
//! A newer program may have applied more steps. Each states from which version on an older program may go on.

use super::SqlStore;
use super::dialect::Dialect;
use super::driver::Row;
use super::failure::Failure;
use super::migration::{Migration, steps};
use super::row;
use super::session::Session;
use super::statement::Statement;
use super::table_lock::{LockTries, code};
use super::tables::{TABLES, quote};
use super::unprefixed;
use tower_api_key::store::StoreError;

/// The advisory lock of PostgreSQL that migrations take. The number has no meaning.
const LOCK: i64 = 0x746f_7765_725f_6b65;

const MAKE_STEPS: &str = "CREATE TABLE {migrations} (version BIGINT NOT NULL PRIMARY KEY, \
     name TEXT NOT NULL, checksum TEXT NOT NULL, applied BIGINT NOT NULL, compatible_from BIGINT)";

/// Tables of an earlier program lack the column.
const ADD_COMPATIBLE_FROM: &str = "ALTER TABLE {migrations} ADD COLUMN compatible_from BIGINT";

/// Reads the applied steps. If `{migrations}` has no column `compatible_from`, the name means the outer one.
const STEPS_DONE: &str = "SELECT done.version, done.checksum, (SELECT compatible_from FROM {migrations} \
     AS own WHERE own.version = done.version) AS compatible_from FROM {migrations} AS done \
     CROSS JOIN (SELECT CAST(NULL AS BIGINT) AS compatible_from) AS missing ORDER BY done.version";

impl SqlStore {
    /// Brings the tables up to date. Several processes may call this at once.
    pub(super) async fn migrate(&self) -> Result<(), StoreError> {
        self.migrate_by(&steps(self.dialect)).await
    }

    /// Applies the steps that are not applied yet.
    pub(super) async fn migrate_by(&self, known: &[Migration]) -> Result<(), StoreError> {
        if self.is_up_to_date(known).await? {
            return Ok(());
        }
        let tries = LockTries::new(self.settings.change_timeout);
        loop {
            match self.try_to_migrate(known).await {
                Err(error) if tries.again(&error).await => {}
                ended => return ended,
            }
        }
    }

    async fn try_to_migrate(&self, known: &[Migration]) -> Result<(), StoreError> {
        let mut session = self.transaction().await?;
        if self.dialect == Dialect::Postgres {
            let lock = Statement::from("SELECT pg_advisory_xact_lock($1)").bind(LOCK);
            session.fetch(lock).await?;
        }
        // Another process may have applied the steps meanwhile.
        let done = if self.exists_in(&mut session, "migrations").await? {
            let listed = session.fetch(self.steps_done()).await;
            self.check(&listed.map_err(|error| self.foreign_table(error))?, known)?
        } else {
            self.begin_tables(&mut session, known).await?
        };
        if (1..known.len()).contains(&done) {
            if self.dialect == Dialect::Postgres {
                self.lock_tables(&mut session).await?;
            }
            if !self.has_compatible_from(&mut session).await? {
                session.script(self.tables.fill(ADD_COMPATIBLE_FROM)).await?;
            }
        }
        for step in known.iter().skip(done) {
            session.step(self.tables.fill(step.sql)).await?;
            self.note(&mut session, step).await?;
        }
        session.commit().await
    }

    /// Returns true if all steps are applied. Needs no transaction.
    async fn is_up_to_date(&self, known: &[Migration]) -> Result<bool, StoreError> {
        if self.read(self.exists("migrations")).await?.is_empty() {
            return Ok(false);
        }
        let listed = self.read(self.steps_done()).await;
        let done = self.check(&listed.map_err(|error| self.foreign_table(error))?, known)?;
        Ok(done >= known.len())
    }

    fn exists(&self, table: &str) -> Statement {
        match self.dialect {
            Dialect::Sqlite => Statement::from(
                "SELECT 1 AS found FROM sqlite_master WHERE lower(name) = $1 \
                 AND type IN ('table', 'view')",
            )
            .bind(self.tables.bare(table)),
            // Reads `pg_class`, too: the lock on it lets the session learn of tables that another process
            // has created since the transaction began.
            Dialect::Postgres => Statement::from(
                "SELECT CAST(1 AS BIGINT) AS found FROM pg_class WHERE oid = to_regclass($1)",
            )
            .bind(self.tables.fill(&format!("{{{table}}}"))),
        }
    }

    async fn exists_in(&self, session: &mut Session, table: &str) -> Result<bool, StoreError> {
        Ok(!session.fetch(self.exists(table)).await?.is_empty())
    }

    fn steps_done(&self) -> Statement {
        Statement::made(self.tables.fill(STEPS_DONE))
    }

    pub(super) async fn has_compatible_from(
        &self,
        session: &mut Session,
    ) -> Result<bool, StoreError> {
        let (sql, table) = match self.dialect {
            Dialect::Sqlite => (
                "SELECT 1 AS found FROM pragma_table_info($1) WHERE name = 'compatible_from'",
                self.tables.bare("migrations"),
            ),
            Dialect::Postgres => (
                "SELECT CAST(1 AS BIGINT) AS found FROM pg_attribute WHERE attrelid = to_regclass($1) \
                 AND attname = 'compatible_from' AND NOT attisdropped",
                self.tables.fill("{migrations}"),
            ),
        };
        Ok(!session.fetch(Statement::from(sql).bind(table)).await?.is_empty())
    }

    /// Converts the error for a missing column: the table of steps belongs to another program.
    fn foreign_table(&self, error: StoreError) -> StoreError {
        if matches!(code(&error), Some("42703" | "42809" | "1")) {
            return StoreError::new(Failure::TableTaken(self.tables.bare("migrations")));
        }
        error
    }

    /// Compares the applied steps with the known ones, and returns the number of applied steps. A step that is
    /// not known must state that this program may go on.
    fn check(&self, rows: &[Row], known: &[Migration]) -> Result<usize, StoreError> {
        let taken = |_| StoreError::new(Failure::TableTaken(self.tables.bare("migrations")));
        let newest = known.last().map_or(0, |step| step.version);
        for (place, done) in rows.iter().enumerate() {
            let found = row::number(&**done, "version").map_err(taken)?;
            let checksum = row::text(&**done, "checksum").map_err(taken)?;
            let Some(step) = known.get(place) else {
                let from = done.number("compatible_from").ok().flatten();
                if from.is_some_and(|from| from <= newest) {
                    continue;
                }
                return Err(StoreError::new(Failure::Newer { found, known: newest }));
            };
            if step.version != found || step.checksum() != checksum {
                return Err(StoreError::new(Failure::OtherStep(found)));
            }
        }
        Ok(rows.len())
    }

    /// Creates the table of steps and takes over the tables of the first release. Returns the number of steps
    /// that are applied then.
    async fn begin_tables(
        &self,
        session: &mut Session,
        known: &[Migration],
    ) -> Result<usize, StoreError> {
        if let (Dialect::Postgres, Some(schema)) = (self.dialect, &self.tables.schema) {
            let there =
                Statement::from("SELECT nspname::text FROM pg_namespace WHERE nspname = $1");
            if session.fetch(there.bind(schema.as_str())).await?.is_empty() {
                session.script(format!("CREATE SCHEMA {}", quote(schema))).await?;
            }
        }
        for table in TABLES {
            if self.exists_in(session, table).await? {
                return Err(StoreError::new(Failure::TableTaken(self.tables.bare(table))));
            }
        }
        session.script(self.tables.fill(MAKE_STEPS)).await?;
        if !unprefixed::take_over(session, self.dialect, &self.tables).await? {
            return Ok(0);
        }
        // The tables now equal those of the first step.
        for first in known.iter().take(1) {
            self.note(session, first).await?;
        }
        Ok(1)
    }

    async fn note(&self, session: &mut Session, step: &Migration) -> Result<(), StoreError> {
        let text = "INSERT INTO {migrations} (version, name, checksum, applied, compatible_from) \
                    VALUES ($1, $2, $3, $4, $5)";
        let noted = Statement::made(self.tables.fill(text))
            .bind(step.version)
            .bind(step.name)
            .bind(step.checksum())
            .bind(row::column(self.clock.now()))
            .bind(step.compatible_from);
        session.execute(noted).await.map(|_| ())
    }
}
