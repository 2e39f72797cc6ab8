//! Answers questions about usage.

use super::top_keys;
use super::usage_rows::{number, unsigned};
use crate::SqlStore;
use crate::driver::Columns;
use crate::json::broken;
use crate::row;
use crate::statement::{Statement, Value};
use crate::storable::can_be_stored;
use tower_api_key::store::StoreError;
use tower_api_key::usage::{
    KeyUsage, LastUse, TopKeysQuery, UsageCount, UsageFuture, UsageGroup, UsageHour, UsageQuery,
    UsageReader,
};

/// The first and the last hour with requests.
const WRITTEN: &str = "SELECT (SELECT MIN(hour) FROM {usage_accounts}) AS first, \
     (SELECT MAX(hour) FROM {usage_accounts}) AS last";

/// Looks each hour up by the primary key, so that the other keys of the hour are not read.
const HOURS: &str = "WITH RECURSIVE span(hour) AS (SELECT CAST($1 AS BIGINT) UNION ALL \
     SELECT hour + 1 FROM span WHERE hour + 1 < $2) ";

const LAST_USE: &str = "SELECT at, network FROM {usage_keys} WHERE key_id = $1";

impl UsageReader for SqlStore {
    fn usage<'a>(&'a self, query: &'a UsageQuery) -> UsageFuture<'a, Vec<UsageCount>> {
        Box::pin(usage(self, query))
    }

    fn top_keys<'a>(&'a self, query: &'a TopKeysQuery) -> UsageFuture<'a, Vec<KeyUsage>> {
        Box::pin(top_keys::top_keys(self, query))
    }

    fn last_use<'a>(&'a self, key: &'a str) -> UsageFuture<'a, Option<LastUse>> {
        Box::pin(async move {
            if !can_be_stored(key) {
                return Ok(None);
            }
            let asked = Statement::made(self.tables.fill(LAST_USE)).bind(key);
            let rows = self.read(asked).await?;
            rows.first().map(|found| last_use(&**found)).transpose()
        })
    }
}

async fn usage(store: &SqlStore, query: &UsageQuery) -> Result<Vec<UsageCount>, StoreError> {
    let by = |group| query.by.contains(&group);
    let (hourly, daily) = (by(UsageGroup::Hour), by(UsageGroup::Day));
    let (by_route, by_decision) = (by(UsageGroup::Route), by(UsageGroup::Decision));
    let mut counts = match span(store, query).await? {
        Some((since, until)) => {
            let start = match (hourly, daily) {
                (true, _) => "u.hour",
                (false, true) => "u.hour - u.hour % 24",
                (false, false) => "CAST(0 AS BIGINT)",
            };
            let column = |wanted, name| if wanted { name } else { "CAST('' AS TEXT)" };
            let asked = statement(
                store,
                query,
                (since, until),
                &format!(
                    "{start} AS start, {} AS route, {} AS decision",
                    column(by_route, "u.route"),
                    column(by_decision, "u.decision")
                ),
            );
            let rows = store.read(asked).await?;
            let count = |row: &dyn Columns| {
                let start = UsageHour::from_number(unsigned(row, "start")?).start();
                let decision = by_decision.then(|| row::text(row, "decision")).transpose()?;
                let decision = decision.map(|name| name.parse().map_err(broken)).transpose()?;
                let route = by_route.then(|| row::text(row, "route")).transpose()?;
                let start = (hourly || daily).then_some(start);
                Ok(UsageCount::new(start, route, decision, unsigned(row, "requests")?))
            };
            rows.iter().map(|row| count(&**row)).collect::<Result<Vec<_>, StoreError>>()?
        }
        None => Vec::new(),
    };
    if counts.is_empty() && query.by.is_empty() {
        counts.push(UsageCount::new(None, None, None, 0));
    }
    Ok(counts)
}

/// Returns the hours of a query that may have requests. `None` if there are none.
async fn span(
    store: &SqlStore,
    query: &UsageQuery,
) -> Result<Option<(UsageHour, UsageHour)>, StoreError> {
    let names = [&query.account, &query.key, &query.route];
    // The empty account has the sums of all requests.
    let no_account = query.account.as_deref() == Some("");
    if no_account || names.into_iter().flatten().any(|name| !can_be_stored(name)) {
        return Ok(None);
    }
    let Some((first, last)) = written(store).await? else { return Ok(None) };
    let until = query.until.min(UsageHour::from_number(last.number() + 1));
    // The hours of a day may be rolled up to its first one.
    let since = query.since.max(first.day());
    Ok((since < until).then_some((since, until)))
}

/// Returns the first and the last hour with requests.
async fn written(store: &SqlStore) -> Result<Option<(UsageHour, UsageHour)>, StoreError> {
    let rows = store.read(Statement::made(store.tables.fill(WRITTEN))).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let hour = |column| -> Result<_, StoreError> {
        let hour = row::optional_number(&**row, column)?;
        Ok(hour.and_then(|hour| u64::try_from(hour).ok()).map(UsageHour::from_number))
    };
    Ok(hour("first")?.zip(hour("last")?))
}

fn statement(
    store: &SqlStore,
    query: &UsageQuery,
    (since, until): (UsageHour, UsageHour),
    columns: &str,
) -> Statement {
    let mut values: Vec<Value> = vec![number(since.number()).into(), number(until.number()).into()];
    let mut conditions = String::new();
    let mut wanted = |column: &str, value: &str| {
        values.push(value.into());
        conditions.push_str(&format!(" AND u.{column} = ${}", values.len()));
    };
    let table = match (&query.key, &query.account) {
        (Some(key), account) => {
            wanted("key_id", key);
            if let Some(account) = account {
                wanted("account", account);
            }
            "{usage}"
        }
        (None, account) => {
            wanted("account", account.as_deref().unwrap_or_default());
            "{usage_accounts}"
        }
    };
    if let Some(route) = &query.route {
        wanted("route", route);
    }
    if let Some(decision) = query.decision {
        wanted("decision", decision.name());
    }
    values.push(i64::try_from(query.limit).unwrap_or(i64::MAX).into());
    let text = format!(
        "{HOURS} SELECT {columns}, CAST(SUM(u.requests) AS BIGINT) AS requests FROM span \
         CROSS JOIN {table} u WHERE u.hour = span.hour{conditions} \
         GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 LIMIT ${}",
        values.len()
    );
    Statement { values, ..Statement::made(store.tables.fill(&text)) }
}

fn last_use(found: &dyn Columns) -> Result<LastUse, StoreError> {
    let at = row::timestamp(row::number(found, "at")?);
    let network = row::optional(found, "network")?;
    let network = network.map(|network| network.parse().map_err(broken)).transpose()?;
    Ok(LastUse::stored(at, network))
}
