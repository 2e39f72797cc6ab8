//! A transaction whose statements have a timeout.

use std::time::Duration;

use sqlx::{AssertSqlSafe, SqlSafeStr};
use tokio::time::timeout_at;

use super::SqlStore;
use super::deadline::after;
use super::driver::{Answer, Connection, CopyParts, EachRow, Row};
use super::failure::{failed, is_broken};
use super::statement::Statement;
use tower_api_key::store::StoreError;

/// The most tries to begin a transaction, each on another connection.
const ATTEMPTS: u32 = 12;

/// A transaction. Others see nothing of it until it is committed.
pub(super) struct Session {
    connection: Box<dyn Connection>,
    store: SqlStore,
    limit: Duration,
}

impl SqlStore {
    /// Begins a transaction. If the connection is broken, tries another, because nothing has run yet.
    pub(super) async fn transaction(&self) -> Result<Session, StoreError> {
        let limit = self.settings.change_timeout;
        let end = after(limit);
        let mut attempts = 0;
        loop {
            attempts += 1;
            let mut connection = self.acquire(limit, end).await?;
            match timeout_at(end, connection.begin(self.dialect.begin(limit))).await {
                Ok(Ok(())) => return Ok(Session { connection, store: self.clone(), limit }),
                Ok(Err(error)) if is_broken(&error) && attempts < ATTEMPTS => {
                    self.pool.distrust_idle();
                }
                Ok(Err(error)) => return Err(failed(error)),
                Err(_) => {
                    connection.distrust();
                    return Err(self.no_answer(limit));
                }
            }
        }
    }
}

impl Session {
    /// Runs a statement and returns its rows.
    pub(super) async fn fetch(&mut self, statement: Statement) -> Result<Vec<Row>, StoreError> {
        within(&self.store, self.limit, self.connection.fetch(statement)).await
    }

    /// Runs a statement and passes on each of its rows.
    pub(super) async fn fetch_each(
        &mut self,
        statement: Statement,
        each: EachRow,
    ) -> Result<(), StoreError> {
        within(&self.store, self.limit, self.connection.fetch_each(statement, each)).await
    }

    /// Runs a statement and returns how many rows it touched.
    pub(super) async fn execute(&mut self, statement: Statement) -> Result<u64, StoreError> {
        within(&self.store, self.limit, self.connection.execute(statement)).await
    }

    /// Copies rows into a table, and returns how many.
    pub(super) async fn copy(
        &mut self,
        into: String,
        rows: CopyParts<'_>,
    ) -> Result<u64, StoreError> {
        let into = AssertSqlSafe(into).into_sql_str();
        within(&self.store, self.limit, self.connection.copy(into, rows)).await
    }

    /// Runs several statements of this program's own.
    pub(super) async fn script(&mut self, sql: String) -> Result<(), StoreError> {
        self.script_within(sql, self.limit).await
    }

    /// Runs a step of the tables. Each of its statements may take as long as a change: one may build an index of all keys.
    pub(super) async fn step(&mut self, sql: String) -> Result<(), StoreError> {
        let statements = u32::try_from(sql.matches(';').count().max(1)).unwrap_or(u32::MAX);
        self.script_within(sql, self.limit.saturating_mul(statements)).await
    }

    async fn script_within(&mut self, sql: String, limit: Duration) -> Result<(), StoreError> {
        let sql = AssertSqlSafe(sql).into_sql_str();
        within(&self.store, limit, self.connection.script(sql)).await
    }

    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        within(&self.store, self.limit, self.connection.commit()).await
    }

    pub(super) async fn roll_back(mut self) -> Result<(), StoreError> {
        within(&self.store, self.limit, self.connection.roll_back()).await
    }
}

/// Waits for the database until the timeout.
async fn within<T>(
    store: &SqlStore,
    limit: Duration,
    answer: Answer<'_, T>,
) -> Result<T, StoreError> {
    match timeout_at(after(limit), answer).await {
        Ok(answer) => answer.map_err(failed),
        Err(_) => Err(store.no_answer(limit)),
    }
}

#[cfg(all(test, feature = "sqlite", feature = "postgres"))]
mod tests {
    use super::*;
    use crate::plan::postgres::Postgres;
    use tower_api_key::key::Account;
    use tower_api_key::store::KeyManager;

    /// A process is frozen in the middle of a change. The kernel answers for it, so the server alone can end it.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_frozen_change_is_ended_by_the_server() {
        let Some(server) = Postgres::start() else { return };
        let store = SqlStore::connect(server.url()).await.unwrap();
        let frozen = store.clone().with_change_timeout(Duration::from_millis(500));
        let mut frozen = frozen.transaction().await.unwrap();
        frozen.execute(Statement::new(&store.queries.lock_trail)).await.unwrap();
        let account = Account::builder("acme").build().unwrap();
        store.save_account(account, "test").await.unwrap();
        assert!(frozen.commit().await.is_err());
    }
}
