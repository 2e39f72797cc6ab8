//! The keys with the most requests.

use super::read::{unsigned, written};
use super::usage_rows::number;
use crate::SqlStore;
use crate::driver::Columns;
use crate::manager::can_be_stored;
use crate::row;
use crate::statement::{Statement, Value};
use tower_api_key::store::StoreError;
use tower_api_key::usage::{KeyUsage, TopKeysQuery, UsageHour};

/// Reads the sums of one month. They need no sum of their own, so this takes a third of the time.
const OF_MONTH: &str = "SELECT key_id, account, admitted, refused FROM {usage_months} \
     WHERE month = $1{account} ORDER BY admitted + refused DESC, key_id LIMIT {limit}";

/// Reads whole months by their sums, and the hours before and after them.
const OF_SPAN: &str = "SELECT key_id, account, CAST(SUM(admitted) AS BIGINT) AS admitted, \
     CAST(SUM(refused) AS BIGINT) AS refused FROM (\
     SELECT key_id, account, admitted, refused FROM {usage_months} \
     WHERE month >= $1 AND month < $2{account} UNION ALL \
     SELECT key_id, account, CASE decision WHEN 'admitted' THEN requests ELSE 0 END, \
     CASE decision WHEN 'admitted' THEN 0 ELSE requests END FROM {usage} \
     WHERE hour >= $3 AND hour < $4 AND key_id <> ''{account} UNION ALL \
     SELECT key_id, account, CASE decision WHEN 'admitted' THEN requests ELSE 0 END, \
     CASE decision WHEN 'admitted' THEN 0 ELSE requests END FROM {usage} \
     WHERE hour >= $5 AND hour < $6 AND key_id <> ''{account}) AS parts \
     GROUP BY key_id, account ORDER BY SUM(admitted) + SUM(refused) DESC, key_id LIMIT {limit}";

pub(super) async fn top_keys(
    store: &SqlStore,
    query: &TopKeysQuery,
) -> Result<Vec<KeyUsage>, StoreError> {
    if query.account.as_deref().is_some_and(|account| !can_be_stored(account)) {
        return Ok(Vec::new());
    }
    let Some((first, last)) = written(store).await? else { return Ok(Vec::new()) };
    // Nothing lies outside of what is written, so the months at both ends are whole ones.
    let since = if query.since <= first { first.month() } else { query.since };
    let until = if query.until > last { last.next_month() } else { query.until };
    if since >= until {
        return Ok(Vec::new());
    }
    let rows =
        store.read_within(statement(store, query, since, until), store.settings.change_timeout);
    rows.await?.iter().map(|row| key_usage(&**row)).collect()
}

fn statement(
    store: &SqlStore,
    query: &TopKeysQuery,
    since: UsageHour,
    until: UsageHour,
) -> Statement {
    let one_month = since.month() == since && since.next_month() == until;
    let (text, hours) = if one_month {
        (OF_MONTH, vec![since])
    } else {
        let begin = if since.month() == since { since } else { since.next_month() };
        let end = until.month();
        let (begin, end) = if begin < end { (begin, end) } else { (until, until) };
        (OF_SPAN, vec![begin, end, since, begin, end, until])
    };
    let mut values: Vec<Value> =
        hours.into_iter().map(|hour| number(hour.number()).into()).collect();
    let mut account = String::new();
    if let Some(id) = &query.account {
        values.push(id.as_str().into());
        account = format!(" AND account = ${}", values.len());
    }
    values.push(i64::try_from(query.limit).unwrap_or(i64::MAX).into());
    let text =
        text.replace("{account}", &account).replace("{limit}", &format!("${}", values.len()));
    Statement { values, ..Statement::made(store.tables.fill(&text)) }
}

fn key_usage(found: &dyn Columns) -> Result<KeyUsage, StoreError> {
    Ok(KeyUsage::new(
        row::text(found, "key_id")?,
        row::text(found, "account")?,
        unsigned(found, "admitted")?,
        unsigned(found, "refused")?,
    ))
}
