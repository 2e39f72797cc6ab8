//! Transactions, each with its lines in the audit trail.

use std::time::Duration;

use sqlx::any::AnyRow;
use sqlx::{Any, Row, Transaction};

use super::super::error::StoreError;
use super::super::manage::{Action, Change, ManageError};
use super::connect::{Dialect, SqlStore};
use super::failure::{failed, within};
use super::{notify, query, row};
use crate::store::invalidation::Invalidation;

/// How long one statement of a change may take, with the wait for those that make another change.
pub(super) const TIMEOUT: Duration = Duration::from_secs(30);

/// A change in the making: nothing of it is seen until it is committed.
pub(super) struct Step<'a> {
    pub(super) transaction: Transaction<'static, Any>,
    pub(super) dialect: Dialect,
    at: i64,
    by: &'a str,
    /// What other processes are told when it is committed.
    news: Vec<Invalidation>,
}

impl SqlStore {
    /// Begins a change.
    pub(super) async fn begin<'a>(&self, by: &'a str) -> Result<Step<'a>, ManageError> {
        let begin = match self.dialect {
            // Another writer is waited for at the beginning, and not in the middle, where SQLite
            // would fail at once.
            Dialect::Sqlite => "BEGIN IMMEDIATE",
            Dialect::Postgres => "BEGIN",
        };
        // Nothing was done yet, so this may be tried on another connection.
        let transaction = self.retrying(|| self.pool.begin_with(begin));
        let transaction = within(TIMEOUT, transaction).await?;
        let at = row::column(self.clock.now());
        let mut step = Step { transaction, dialect: self.dialect, at, by, news: Vec::new() };
        if self.dialect == Dialect::Postgres {
            step.execute(sqlx::query(query::LOCK_TRAIL)).await?;
        }
        Ok(step)
    }
}

pub(super) type Query<'q> = sqlx::query::Query<'q, Any, sqlx::any::AnyArguments>;

impl Step<'_> {
    pub(super) const fn at(&self) -> i64 {
        self.at
    }

    pub(super) const fn by(&self) -> &str {
        self.by
    }

    /// Runs a statement and returns how many rows it touched.
    pub(super) async fn execute(&mut self, query: Query<'_>) -> Result<u64, ManageError> {
        let done = within(TIMEOUT, query.execute(&mut *self.transaction)).await?;
        Ok(done.rows_affected())
    }

    pub(super) async fn fetch(&mut self, query: Query<'_>) -> Result<Vec<AnyRow>, ManageError> {
        Ok(within(TIMEOUT, query.fetch_all(&mut *self.transaction)).await?)
    }

    /// Writes a line of the trail.
    pub(super) async fn note(
        &mut self,
        action: Action,
        key: Option<&str>,
        account: &str,
    ) -> Result<(), ManageError> {
        let (at, by) = (self.at, self.by.to_owned());
        self.insert(query::INTO_CHANGES, 5, &[(key, account)], "", |row, (key, account)| {
            let row = row.bind(at).bind(by.clone()).bind(action.name());
            row.bind(key.map(str::to_owned)).bind((*account).to_owned())
        })
        .await
        .map(|_| ())
    }

    /// Tells other processes of a change, when it is committed.
    pub(super) fn tell(&mut self, what: Invalidation) {
        if self.dialect == Dialect::Postgres && self.news.last() != Some(&what) {
            self.news.push(what);
        }
    }

    pub(super) async fn commit(mut self) -> Result<(), ManageError> {
        let news = std::mem::take(&mut self.news);
        for text in news.iter().filter_map(notify::text) {
            self.execute(sqlx::query(query::NOTIFY).bind(notify::CHANNEL).bind(text)).await?;
        }
        Ok(within(TIMEOUT, self.transaction.commit()).await?)
    }
}

/// Reads a line of the trail.
pub(super) fn change(row: &AnyRow) -> Result<Change, StoreError> {
    let read = |row: &AnyRow| -> Result<Option<Change>, sqlx::Error> {
        let action = Action::named(&row.try_get::<String, _>("action")?);
        let sequence = u64::try_from(row.try_get::<i64, _>("sequence")?).unwrap_or(0);
        Ok(Some(Change {
            sequence,
            at: row::timestamp(row.try_get("at")?),
            by: row.try_get("author")?,
            action: match action {
                Some(action) => action,
                None => return Ok(None),
            },
            key: row.try_get("key_id")?,
            account: row.try_get("account")?,
        }))
    };
    let change = read(row).map_err(failed)?;
    change.ok_or_else(|| StoreError::new("the trail has an action that this program does not know"))
}
