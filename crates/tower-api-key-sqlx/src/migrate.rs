//! Brings the store's tables up to date, and touches no others.
//!
//! A table lists the steps that were applied, each with a checksum. If all are applied, a connect only reads
//! that table. So a role without write access can connect, also to a standby server.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::SqlStore;
use super::dialect::Dialect;
use super::driver::Row;
use super::failure::Failure;
use super::row;
use super::session::Session;
use super::statement::Statement;
use super::tables::{TABLES, quote};
use super::unprefixed;
use tower_api_key::store::StoreError;

/// The advisory lock of PostgreSQL that migrations take. The number has no meaning.
const LOCK: i64 = 0x746f_7765_725f_6b65;

const MAKE_STEPS: &str = "CREATE TABLE {migrations} (version BIGINT NOT NULL PRIMARY KEY, \
     name TEXT NOT NULL, checksum TEXT NOT NULL, applied BIGINT NOT NULL)";

/// A migration. It never changes after its release.
struct Migration {
    version: i64,
    name: &'static str,
    sql: &'static str,
}

/// Returns the steps that create the tables, the oldest first.
const fn steps(dialect: Dialect) -> [Migration; 1] {
    let tables = match dialect {
        Dialect::Sqlite => include_str!("../migrations/0001_tables.sqlite.sql"),
        Dialect::Postgres => include_str!("../migrations/0001_tables.postgres.sql"),
    };
    [Migration { version: 1, name: "tables", sql: tables }]
}

impl SqlStore {
    /// Brings the tables up to date. Several processes may call this at once.
    pub(super) async fn migrate(&self) -> Result<(), StoreError> {
        if self.is_up_to_date().await? {
            return Ok(());
        }
        let mut session = self.transaction().await?;
        if self.dialect == Dialect::Postgres {
            let lock = Statement::from("SELECT pg_advisory_xact_lock($1)").bind(LOCK);
            session.fetch(lock).await?;
        }
        // Another process may have applied the steps meanwhile.
        let done = if self.exists_in(&mut session, "migrations").await? {
            let listed = session.fetch(self.steps_done()).await;
            self.check(&listed.map_err(|error| self.foreign_table(error))?)?
        } else {
            self.begin_tables(&mut session).await?
        };
        for step in steps(self.dialect).iter().skip(done) {
            session.script(self.tables.fill(step.sql)).await?;
            self.note(&mut session, step).await?;
        }
        session.commit().await
    }

    /// Returns true if all steps are applied. Needs no transaction.
    async fn is_up_to_date(&self) -> Result<bool, StoreError> {
        if self.read(self.exists("migrations")).await?.is_empty() {
            return Ok(false);
        }
        let listed = self.read(self.steps_done()).await;
        let done = self.check(&listed.map_err(|error| self.foreign_table(error))?)?;
        Ok(done == steps(self.dialect).len())
    }

    fn exists(&self, table: &str) -> Statement {
        match self.dialect {
            Dialect::Sqlite => Statement::from(
                "SELECT 1 AS found FROM sqlite_master WHERE lower(name) = $1 \
                 AND type IN ('table', 'view')",
            )
            .bind(self.tables.bare(table)),
            Dialect::Postgres => Statement::from(
                "SELECT CAST(1 AS BIGINT) AS found WHERE to_regclass($1) IS NOT NULL",
            )
            .bind(self.tables.fill(&format!("{{{table}}}"))),
        }
    }

    async fn exists_in(&self, session: &mut Session, table: &str) -> Result<bool, StoreError> {
        Ok(!session.fetch(self.exists(table)).await?.is_empty())
    }

    fn steps_done(&self) -> Statement {
        let text = "SELECT version, checksum FROM {migrations} ORDER BY version";
        Statement::made(self.tables.fill(text))
    }

    /// Converts the error for a missing column: the table of steps belongs to another program.
    fn foreign_table(&self, error: StoreError) -> StoreError {
        let cause = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref());
        match cause {
            Some(Failure::Database { code: Some(code), .. })
                if ["42703", "42809", "1"].contains(&&**code) =>
            {
                StoreError::new(Failure::TableTaken(self.tables.bare("migrations")))
            }
            _ => error,
        }
    }

    /// Compares the applied steps with the known ones, and returns the number of applied steps.
    fn check(&self, rows: &[Row]) -> Result<usize, StoreError> {
        let known = steps(self.dialect);
        let taken = |_| StoreError::new(Failure::TableTaken(self.tables.bare("migrations")));
        for (place, done) in rows.iter().enumerate() {
            let found = row::number(&**done, "version").map_err(taken)?;
            let checksum = row::text(&**done, "checksum").map_err(taken)?;
            let Some(step) = known.get(place) else {
                let known = known.last().map_or(0, |step| step.version);
                return Err(StoreError::new(Failure::Newer { found, known }));
            };
            if step.version != found || checksum_of(step.sql) != checksum {
                return Err(StoreError::new(Failure::OtherStep(found)));
            }
        }
        Ok(rows.len())
    }

    /// Creates the table of steps and takes over the tables of the first release. Returns the number of steps
    /// that are applied then.
    async fn begin_tables(&self, session: &mut Session) -> Result<usize, StoreError> {
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
        let [first, ..] = steps(self.dialect);
        self.note(session, &first).await?;
        Ok(1)
    }

    async fn note(&self, session: &mut Session, step: &Migration) -> Result<(), StoreError> {
        let text = "INSERT INTO {migrations} (version, name, checksum, applied) \
                    VALUES ($1, $2, $3, $4)";
        let noted = Statement::made(self.tables.fill(text))
            .bind(step.version)
            .bind(step.name)
            .bind(checksum_of(step.sql))
            .bind(row::column(self.clock.now()));
        session.execute(noted).await.map(|_| ())
    }
}

fn checksum_of(sql: &str) -> String {
    Sha256::digest(sql.as_bytes()).iter().fold(String::new(), |mut text, byte| {
        // Writing to a `String` never fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Databases hold the checksums of released steps. Another way to compute them would refuse those databases.
    #[test]
    fn a_checksum_is_the_sha256_of_a_step_in_hexadecimal() {
        assert_eq!(
            checksum_of("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
