//! The keys with the most requests.

use super::usage_rows::{number, unsigned};
use crate::SqlStore;
use crate::driver::Columns;
use crate::row;
use crate::statement::{Statement, Value};
use crate::storable::can_be_stored;
use tower_api_key::store::StoreError;
use tower_api_key::usage::{KeyUsage, TopKeysQuery};

/// Reads the sums of one month. They need no sum of their own, so this takes a third of the time.
const OF_MONTH: &str = "SELECT key_id, account, admitted, refused FROM {usage_months} \
     WHERE {month} = $1{account} ORDER BY admitted + refused DESC, key_id LIMIT {limit}";

const OF_MONTHS: &str = "SELECT key_id, account, CAST(SUM(admitted) AS BIGINT) AS admitted, \
     CAST(SUM(refused) AS BIGINT) AS refused FROM {usage_months} WHERE {month} >= $1 AND {month} < $2{account} \
     GROUP BY key_id, account ORDER BY SUM(admitted) + SUM(refused) DESC, key_id LIMIT {limit}";

pub(super) async fn top_keys(
    store: &SqlStore,
    query: &TopKeysQuery,
) -> Result<Vec<KeyUsage>, StoreError> {
    if query.account.as_deref().is_some_and(|account| !can_be_stored(account)) {
        return Ok(Vec::new());
    }
    let asked = statement(store, query);
    // The sums of many months of a million keys take longer than a lookup may.
    let rows = store.read_within(asked, store.settings.change_timeout).await?;
    rows.iter().map(|row| key_usage(&**row)).collect()
}

fn statement(store: &SqlStore, query: &TopKeysQuery) -> Statement {
    let one_month = query.since.next_month() == query.until;
    let (text, hours) = if one_month {
        (OF_MONTH, vec![query.since])
    } else {
        (OF_MONTHS, vec![query.since, query.until])
    };
    let mut values: Vec<Value> =
        hours.into_iter().map(|hour| number(hour.number()).into()).collect();
    let (mut account, mut month) = (String::new(), "month");
    if let Some(id) = &query.account {
        values.push(id.as_str().into());
        account = format!(" AND account = ${}", values.len());
        // SQLite would look up the month by the primary key, and read the keys of all accounts.
        month = "+month";
    }
    values.push(i64::try_from(query.limit).unwrap_or(i64::MAX).into());
    let text = text
        .replace("{account}", &account)
        .replace("{month}", month)
        .replace("{limit}", &format!("${}", values.len()));
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
