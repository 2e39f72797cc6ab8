//! Rolls old hours up to days, and deletes old days.

use std::time::Duration;

use super::retention::UsageRetention;
use super::usage_rows::{AccountRow, KeyRow, add_accounts, add_keys, number, unsigned};
use crate::SqlStore;
use crate::driver::Row;
use crate::row;
use crate::statement::{Statement, Value};
use tower_api_key::store::StoreError;
use tower_api_key::usage::UsageHour;

/// Deletes rows of one hour, and returns them as they were.
const TAKE_KEYS: &str = "DELETE FROM {usage} WHERE (hour, key_id, route, decision) IN (SELECT hour, key_id, \
     route, decision FROM {usage} WHERE hour = $1 ORDER BY key_id, route, decision LIMIT 10000) \
     RETURNING key_id, route, decision, account, requests";

/// Leaves the hour as it is while another process moves its keys.
const TAKE_ACCOUNTS: &str = "DELETE FROM {usage_accounts} WHERE (hour, account, route, decision) IN (SELECT hour, \
     account, route, decision FROM {usage_accounts} WHERE hour = $1 \
     AND NOT EXISTS (SELECT 1 FROM {usage} WHERE hour = $1) ORDER BY account, route, decision LIMIT 10000) \
     RETURNING account, route, decision, requests";

const NEXT_HOUR: &str =
    "SELECT MIN(hour) AS hour FROM {usage_accounts} WHERE hour > $1 AND hour < $2";

/// Deletes the oldest rows.
const DELETE_KEYS: &str = "DELETE FROM {usage} WHERE (hour, key_id, route, decision) IN (SELECT hour, key_id, \
     route, decision FROM {usage} WHERE hour < $1 ORDER BY hour, key_id, route, decision LIMIT 10000)";

const DELETE_ACCOUNTS: &str = "DELETE FROM {usage_accounts} WHERE (hour, account, route, decision) IN (SELECT hour, \
     account, route, decision FROM {usage_accounts} WHERE hour < $1 \
     ORDER BY hour, account, route, decision LIMIT 10000)";

const DELETE_MONTHS: &str = "DELETE FROM {usage_months} WHERE (month, key_id) IN (SELECT month, key_id \
     FROM {usage_months} WHERE month < $1 ORDER BY month, key_id LIMIT 10000)";

const DELETE_USES: &str = "DELETE FROM {usage_keys} WHERE key_id IN (SELECT key_id FROM {usage_keys} \
     WHERE at < $1 ORDER BY key_id LIMIT 10000)";

/// A batch may be written after its key was deleted.
const DELETE_USES_OF_DELETED: &str = "DELETE FROM {usage_keys} WHERE key_id IN (SELECT u.key_id FROM {usage_keys} u \
     WHERE u.at < $1 AND NOT EXISTS (SELECT 1 FROM {keys} k WHERE k.id = u.key_id) ORDER BY u.key_id LIMIT 10000)";

const DELETE_WRITERS: &str = "DELETE FROM {usage_writers} WHERE at < $1";

/// The least age of the last batch of a process that is forgotten. A process that cannot reach the database writes the
/// same batch again until it can.
const WRITER_KEPT: Duration = Duration::from_secs(2 * 24 * 3_600);

impl SqlStore {
    /// Rolls old hours of usage up to days, deletes old days, and returns the number of deleted rows. Call it once a day.
    ///
    /// The sums by day stay the same. An hour that was rolled up counts in the first hour of its day. Rows are moved
    /// and deleted in transactions of 10,000 rows. Several processes may call this at once.
    ///
    /// ```
    /// use tower_api_key_sqlx::{SqlStore, UsageRetention};
    ///
    /// # async fn example() -> Result<(), tower_api_key::store::StoreError> {
    /// let store = SqlStore::connect("sqlite:keys.db").await?;
    /// store.prune_usage(UsageRetention::default()).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns a [`StoreError`] if the database cannot answer, or if the role may not delete. What earlier transactions
    /// moved or deleted stays so.
    pub async fn prune_usage(&self, retention: UsageRetention) -> Result<u64, StoreError> {
        let now = self.clock.now();
        let hour = UsageHour::of(now);
        let writers = hour.earlier(retention.days.max(retention.hours).max(WRITER_KEPT));
        let (hours, days) =
            (hour.earlier(retention.hours).day(), hour.earlier(retention.days).day());
        let at = |hour: UsageHour| Value::from(row::column(hour.start()));
        let of = |hour: UsageHour| Value::from(number(hour.number()));
        let mut deleted = 0;
        for (text, before) in [
            (DELETE_KEYS, of(days)),
            (DELETE_ACCOUNTS, of(days)),
            (DELETE_MONTHS, of(days.month())),
            (DELETE_USES, at(days)),
            (DELETE_USES_OF_DELETED, Value::from(row::column(now))),
            // A process that has not written for that long does not write an old batch again.
            (DELETE_WRITERS, at(writers)),
        ] {
            deleted += self.delete_usage(text, before).await?;
        }
        let mut after = 0;
        while let Some(hour) = self.next_hour(after, hours).await? {
            if hour != hour.day() {
                deleted += self.roll_up(hour).await?;
            }
            after = hour.number();
        }
        Ok(deleted)
    }

    async fn delete_usage(&self, text: &str, before: Value) -> Result<u64, StoreError> {
        let mut all = 0;
        loop {
            let mut session = self.transaction().await?;
            let statement = Statement::made(self.tables.fill(text)).bind(before.clone());
            let deleted = session.execute(statement).await?;
            session.commit().await?;
            all += deleted;
            if deleted == 0 {
                return Ok(all);
            }
        }
    }

    /// Returns the next hour with requests. An hour of keys is in the table of accounts, too, until all its keys are moved.
    async fn next_hour(
        &self,
        after: u64,
        until: UsageHour,
    ) -> Result<Option<UsageHour>, StoreError> {
        let asked = Statement::made(self.tables.fill(NEXT_HOUR)).bind(number(after));
        let rows = self.read(asked.bind(number(until.number()))).await?;
        let hour = rows.first().map(|row| row::optional_number(&**row, "hour")).transpose()?;
        Ok(hour.flatten().and_then(|hour| u64::try_from(hour).ok()).map(UsageHour::from_number))
    }

    /// Adds an hour to the first hour of its day.
    async fn roll_up(&self, hour: UsageHour) -> Result<u64, StoreError> {
        let mut moved = 0;
        loop {
            let mut session = self.transaction().await?;
            let take = |text| Statement::made(self.tables.fill(text)).bind(number(hour.number()));
            let keys = session.fetch(take(TAKE_KEYS)).await?;
            let keys = TakenRow::sorted(&keys, TakenRow::of_key)?;
            add_keys(&mut session, self, &rows(&keys, |taken| taken.key_row(hour.day()))).await?;
            let mut accounts = Vec::new();
            // The accounts come last: while they have the hour, its keys may have it, too.
            if keys.is_empty() {
                let taken = session.fetch(take(TAKE_ACCOUNTS)).await?;
                accounts = TakenRow::sorted(&taken, TakenRow::of_account)?;
            }
            let sums = rows(&accounts, |taken| taken.account_row(hour.day()));
            add_accounts(&mut session, self, &sums).await?;
            session.commit().await?;
            moved += (keys.len() + accounts.len()) as u64;
            if keys.is_empty() && accounts.is_empty() {
                return Ok(moved);
            }
        }
    }
}

/// A row that was deleted from its hour.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct TakenRow {
    key: String,
    account: String,
    route: String,
    decision: String,
    requests: u64,
}

impl TakenRow {
    /// Reads rows, in the order in which batches write them.
    fn sorted(
        taken: &[Row],
        read: impl Fn(&Row) -> Result<Self, StoreError>,
    ) -> Result<Vec<Self>, StoreError> {
        let mut rows = taken.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        rows.sort_unstable();
        Ok(rows)
    }

    fn of_key(taken: &Row) -> Result<Self, StoreError> {
        Ok(Self { key: row::text(&**taken, "key_id")?, ..Self::of_account(taken)? })
    }

    fn of_account(taken: &Row) -> Result<Self, StoreError> {
        let taken = &**taken;
        Ok(Self {
            key: String::new(),
            account: row::text(taken, "account")?,
            route: row::text(taken, "route")?,
            decision: row::text(taken, "decision")?,
            requests: unsigned(taken, "requests")?,
        })
    }

    fn key_row(&self, hour: UsageHour) -> KeyRow<'_> {
        let Self { key, account, route, decision, requests } = self;
        KeyRow { hour, key, route, decision, account, requests: *requests }
    }

    fn account_row(&self, hour: UsageHour) -> AccountRow<'_> {
        let Self { account, route, decision, requests, .. } = self;
        AccountRow { hour, account, route, decision, requests: *requests }
    }
}

fn rows<'a, T>(taken: &'a [TakenRow], row: impl Fn(&'a TakenRow) -> T) -> Vec<T> {
    taken.iter().map(row).collect()
}
