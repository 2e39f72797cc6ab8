//! Rows of the tables of usage, and the statements that add them to what is there.

use std::collections::BTreeMap;

use crate::SqlStore;
use crate::driver::Columns;
use crate::json::broken;
use crate::row;
use crate::session::Session;
use crate::statement::Statement;
use tower_api_key::store::StoreError;
use tower_api_key::usage::{UsageBatch, UsageHour};

/// The rows of one statement. With 6 columns they need 3,000 parameters.
const CHUNK: usize = 500;

/// Adds rows to those that are there.
pub(super) const ADD_TO_USAGE: &str = "INSERT INTO {usage} AS held (hour, key_id, route, decision, account, requests) VALUES {values} \
     ON CONFLICT (hour, key_id, route, decision) DO UPDATE SET requests = held.requests + excluded.requests";

pub(super) const ADD_TO_ACCOUNTS: &str = "INSERT INTO {usage_accounts} AS held (hour, account, route, decision, requests) VALUES {values} \
     ON CONFLICT (hour, account, route, decision) DO UPDATE SET requests = held.requests + excluded.requests";

const ADD_TO_MONTHS: &str = "INSERT INTO {usage_months} AS held (month, key_id, account, admitted, refused) VALUES {values} \
     ON CONFLICT (month, key_id) DO UPDATE SET admitted = held.admitted + excluded.admitted, \
     refused = held.refused + excluded.refused";

const SET_LAST_USES: &str = "INSERT INTO {usage_keys} AS held (key_id, at, network) VALUES {values} ON CONFLICT (key_id) \
     DO UPDATE SET at = excluded.at, network = excluded.network WHERE held.at < excluded.at";

/// The requests of one key, route, decision and hour.
pub(super) struct KeyRow<'a> {
    pub(super) hour: UsageHour,
    pub(super) key: &'a str,
    pub(super) route: &'a str,
    pub(super) decision: &'a str,
    pub(super) account: &'a str,
    pub(super) requests: u64,
}

/// The requests of one account, route, decision and hour. The empty account has all requests.
pub(super) struct AccountRow<'a> {
    pub(super) hour: UsageHour,
    pub(super) account: &'a str,
    pub(super) route: &'a str,
    pub(super) decision: &'a str,
    pub(super) requests: u64,
}

/// The rows of a batch. All processes write them in this order, so that no two wait for each other. The sums of all
/// requests come last: all processes write them, and hold their locks for a short time only.
pub(super) struct BatchRows<'a> {
    pub(super) keys: Vec<KeyRow<'a>>,
    /// By month and key: the account, the admitted and the other requests.
    pub(super) months: BTreeMap<(UsageHour, &'a str), (&'a str, u64, u64)>,
    pub(super) accounts: Vec<AccountRow<'a>>,
}

impl<'a> BatchRows<'a> {
    pub(super) fn of(batch: &'a UsageBatch) -> Self {
        let (mut keys, mut months, mut accounts) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        for cell in &batch.cells {
            let key = cell.key.as_ref().map_or("", |key| key.as_str());
            let account = cell.account.as_ref().map_or("", |account| account.as_str());
            let (hour, route, decision) = (cell.hour, &*cell.route, cell.decision);
            let (name, requests) = (decision.name(), cell.requests);
            keys.push(KeyRow { hour, key, route, decision: name, account, requests });
            if !key.is_empty() {
                let sums = months.entry((hour.month(), key)).or_insert((account, 0, 0));
                match decision {
                    tower_api_key::decision::RequestDecision::Admitted => sums.1 += requests,
                    _ => sums.2 += requests,
                }
            }
            // `false` sorts first, so the sums of all requests come last.
            *accounts.entry((true, hour, "", route, name)).or_insert(0) += requests;
            if !account.is_empty() {
                *accounts.entry((false, hour, account, route, name)).or_insert(0) += requests;
            }
        }
        let accounts =
            accounts.into_iter().map(|((_, hour, account, route, decision), requests)| {
                AccountRow { hour, account, route, decision, requests }
            });
        Self { keys, months, accounts: accounts.collect() }
    }
}

/// Adds rows of keys.
pub(super) async fn add_keys(
    session: &mut Session,
    store: &SqlStore,
    rows: &[KeyRow<'_>],
) -> Result<(), StoreError> {
    add(session, store, ADD_TO_USAGE, 6, rows, |statement, row| {
        statement
            .bind(number(row.hour.number()))
            .bind(row.key)
            .bind(row.route)
            .bind(row.decision)
            .bind(row.account)
            .bind(number(row.requests))
    })
    .await
}

/// Adds rows of accounts.
pub(super) async fn add_accounts(
    session: &mut Session,
    store: &SqlStore,
    rows: &[AccountRow<'_>],
) -> Result<(), StoreError> {
    add(session, store, ADD_TO_ACCOUNTS, 5, rows, |statement, row| {
        statement
            .bind(number(row.hour.number()))
            .bind(row.account)
            .bind(row.route)
            .bind(row.decision)
            .bind(number(row.requests))
    })
    .await
}

/// Adds the sums by month of a batch.
pub(super) async fn add_months(
    session: &mut Session,
    store: &SqlStore,
    rows: &BatchRows<'_>,
) -> Result<(), StoreError> {
    let months: Vec<_> = rows.months.iter().collect();
    add(session, store, ADD_TO_MONTHS, 5, &months, |statement, row| {
        let ((month, key), (account, admitted, refused)) = row;
        statement
            .bind(number(month.number()))
            .bind(*key)
            .bind(*account)
            .bind(number(*admitted))
            .bind(number(*refused))
    })
    .await
}

/// Sets the last uses of a batch, unless later ones are known.
pub(super) async fn set_last_uses(
    session: &mut Session,
    store: &SqlStore,
    batch: &UsageBatch,
) -> Result<(), StoreError> {
    add(session, store, SET_LAST_USES, 3, &batch.last_uses, |statement, (key, used)| {
        statement
            .bind(key.as_str())
            .bind(row::column(used.at))
            .bind(used.network.map(|network| network.to_string()))
    })
    .await
}

/// Runs a statement for each part of the rows.
async fn add<T>(
    session: &mut Session,
    store: &SqlStore,
    text: &str,
    columns: usize,
    rows: &[T],
    bind: impl Fn(Statement, &T) -> Statement,
) -> Result<(), StoreError> {
    for part in rows.chunks(CHUNK) {
        let row =
            |row: usize| format!("({})", store.dialect.placeholders(row * columns + 1, columns));
        let values: Vec<String> = (0..part.len()).map(row).collect();
        let text = store.tables.fill(text).replace("{values}", &values.join(", "));
        session.execute(part.iter().fold(Statement::made(text), &bind)).await?;
    }
    Ok(())
}

/// Writes a number of requests or hours.
pub(super) fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Reads a number of requests or hours.
pub(super) fn unsigned(row: &dyn Columns, column: &str) -> Result<u64, StoreError> {
    u64::try_from(row::number(row, column)?).map_err(broken)
}
