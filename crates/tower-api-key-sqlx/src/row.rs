//! Converts rows to records, and records to columns.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::driver::{Columns, Row};
use super::json::{broken, json};
use super::quota_column::read_quotas;
use tower_api_key::clock::Timestamp;
use tower_api_key::key::{Account, AccountId, KeyDigest, KeyRecord, PepperName, SecretTail};
use tower_api_key::store::{BrokenRow, FormerDigest, KeyEntry, SecretEntry, StoreError};

/// The id of a key, and its entry or the error of its row.
type Identified = (String, Result<KeyEntry, StoreError>);

/// Reads a text that must not be NULL.
pub(super) fn text(row: &dyn Columns, column: &str) -> Result<String, StoreError> {
    optional(row, column)?.ok_or_else(|| broken(format_args!("the column `{column}` is NULL")))
}

/// Reads a text that may be NULL.
pub(super) fn optional(row: &dyn Columns, column: &str) -> Result<Option<String>, StoreError> {
    row.text(column).map_err(broken)
}

/// Reads a number that must not be NULL.
pub(super) fn number(row: &dyn Columns, column: &str) -> Result<i64, StoreError> {
    let number = row.number(column).map_err(broken)?;
    number.ok_or_else(|| broken(format_args!("the column `{column}` is NULL")))
}

/// Reads a number that may be NULL.
pub(super) fn optional_number(row: &dyn Columns, column: &str) -> Result<Option<i64>, StoreError> {
    row.number(column).map_err(broken)
}

fn instant(row: &dyn Columns, column: &str) -> Result<Option<Timestamp>, StoreError> {
    Ok(row.number(column).map_err(broken)?.map(timestamp))
}

fn flag(row: &dyn Columns, column: &str) -> Result<bool, StoreError> {
    Ok(number(row, column)? != 0)
}

/// Reads a record. With `by_secret`, the end of the secret counts, too.
pub(super) fn record(row: &dyn Columns, by_secret: bool) -> Result<KeyRecord, StoreError> {
    record_under(row, account_of_record(row)?.into(), by_secret)
}

/// Reads the account of a record.
pub(super) fn account_of_record(row: &dyn Columns) -> Result<Account, StoreError> {
    account_named(row, text(row, "account")?)
}

/// Reads an account whose id was read already, from the columns of a record.
pub(super) fn account_named(row: &dyn Columns, id: String) -> Result<Account, StoreError> {
    account_of(
        id,
        flag(row, "account_disabled")?,
        &text(row, "account_scopes")?,
        optional(row, "account_quotas")?,
        optional(row, "plan")?,
    )
}

/// Reads a record whose account was read already.
pub(super) fn record_under(
    row: &dyn Columns,
    account: Arc<Account>,
    by_secret: bool,
) -> Result<KeyRecord, StoreError> {
    let mut key = KeyRecord::builder(text(row, "id")?, account)
        // Names of earlier releases may hold characters that new names may not.
        .as_stored()
        .disabled(flag(row, "disabled")?)
        .revoked(flag(row, "revoked")?);
    if let Some(owner) = optional(row, "owner")? {
        key = key.owner(owner);
    }
    if let Some(kind) = optional(row, "kind")? {
        key = key.kind(kind);
    }
    if let Some(environment) = optional(row, "environment")? {
        key = key.environment(environment);
    }
    if let Some(audience) = optional(row, "audience")? {
        key = key.audience(audience);
    }
    if let Some(form) = optional(row, "form")? {
        key = key.form(form.parse().map_err(broken)?);
    }
    let (name, description) = (text(row, "name")?, text(row, "description")?);
    if !name.is_empty() {
        key = key.name(name);
    }
    if !description.is_empty() {
        key = key.description(description);
    }
    if let Some(scopes) = optional(row, "scopes")? {
        key = key.scopes(json::<Vec<String>>(&scopes)?);
    }
    let networks: Vec<String> = json(&text(row, "networks")?)?;
    if !networks.is_empty() {
        key = key.networks(networks);
    }
    if let Some(quotas) = optional(row, "quotas")? {
        key = key.quotas(read_quotas(&quotas)?);
    }
    for (name, value) in json::<BTreeMap<String, String>>(&text(row, "metadata")?)? {
        key = key.metadata(name, value);
    }
    if let Some(begins) = instant(row, "not_before")? {
        key = key.not_before(begins);
    }
    let of_secret = if by_secret { instant(row, "secret_expires")? } else { None };
    let ends = [instant(row, "expires")?, of_secret].into_iter().flatten().min();
    if let Some(ends) = ends {
        key = key.expires(ends);
    }
    key.build().map_err(broken)
}

/// Reads a row of the table of accounts.
pub(super) fn account(row: &dyn Columns) -> Result<Account, StoreError> {
    account_of(
        text(row, "id")?,
        flag(row, "disabled")?,
        &text(row, "scopes")?,
        optional(row, "quotas")?,
        optional(row, "plan")?,
    )
}

fn account_of(
    id: String,
    disabled: bool,
    scopes: &str,
    quotas: Option<String>,
    plan: Option<String>,
) -> Result<Account, StoreError> {
    let mut account = Account::builder(id).disabled(disabled).scopes(json::<Vec<String>>(scopes)?);
    if let Some(quotas) = quotas {
        account = account.quotas(read_quotas(&quotas)?);
    }
    if let Some(plan) = plan {
        account = account.plan(plan);
    }
    account.build().map_err(broken)
}

/// Reads keys with their secrets. The rows of a key follow each other, one for each secret. Each key comes
/// with its id, because a broken row yields no record.
pub(super) fn entries(rows: &[Row]) -> Result<Vec<Identified>, StoreError> {
    let mut entries: Vec<Identified> = Vec::new();
    for row in rows {
        let row = &**row;
        let id = text(row, "id")?;
        match entries.last_mut() {
            Some((last, entry)) if *last == id => {
                if let Ok(known) = entry
                    && let Err(error) = add_secret(known, row)
                {
                    *entry = Err(error);
                }
            }
            _ => entries.push((id, entry(row))),
        }
    }
    Ok(entries)
}

fn entry(row: &dyn Columns) -> Result<KeyEntry, StoreError> {
    let (record, created) = (record(row, false)?, timestamp(number(row, "created")?));
    let mut entry = KeyEntry::new(record, created, Vec::new());
    add_secret(&mut entry, row)?;
    let network = optional(row, "last_network")?;
    entry.last_network = network.map(|network| network.parse().map_err(broken)).transpose()?;
    Ok(entry)
}

/// Adds the secret of a row, or the former digest of a secret whose row came before.
fn add_secret(entry: &mut KeyEntry, row: &dyn Columns) -> Result<(), StoreError> {
    let Some(newer) = optional_digest(row, "successor")? else {
        entry.secrets.extend(secret(row)?);
        return Ok(());
    };
    let replaced = instant(row, "replaced")?.unwrap_or_default();
    let former = FormerDigest { digest: digest(row)?, pepper: pepper(row)?, replaced };
    if let Some(secret) = entry.secrets.iter_mut().find(|secret| secret.digest == newer) {
        secret.formers.push(former);
    }
    Ok(())
}

/// Returns the account of a key among rows, if it can be read.
pub(super) fn account_in(rows: &[Row], id: &str) -> Option<String> {
    let found = rows.iter().find(|row| text(&***row, "id").is_ok_and(|other| other == id))?;
    optional(&**found, "account").ok()?
}

/// Returns what is known of a broken row.
pub(super) fn broken_row(id: String, account: Option<String>, error: &StoreError) -> BrokenRow {
    let cause = std::error::Error::source(error);
    let account = account.and_then(|account| AccountId::new(account).ok());
    BrokenRow { id, account, problem: cause.map_or_else(|| error.to_string(), ToString::to_string) }
}

fn secret(row: &dyn Columns) -> Result<Option<SecretEntry>, StoreError> {
    // A key has no secret if its secrets were deleted by hand.
    let Some(created) = instant(row, "secret_created")? else { return Ok(None) };
    let mut entry = SecretEntry::new(digest(row)?, created);
    entry.expires = instant(row, "secret_expires")?;
    entry.last_used = instant(row, "last_used")?;
    entry.pepper = pepper(row)?;
    entry.tail = optional(row, "tail")?.map(SecretTail::new).transpose().map_err(broken)?;
    Ok(Some(entry))
}

/// Reads the name of a pepper.
pub(super) fn pepper(row: &dyn Columns) -> Result<Option<PepperName>, StoreError> {
    optional(row, "pepper")?.map(|name| PepperName::new(name).map_err(broken)).transpose()
}

/// Reads a digest.
pub(super) fn digest(row: &dyn Columns) -> Result<KeyDigest, StoreError> {
    optional_digest(row, "digest")?.ok_or_else(|| broken("a digest is not 32 bytes"))
}

/// Reads a digest that may be NULL.
fn optional_digest(row: &dyn Columns, column: &str) -> Result<Option<KeyDigest>, StoreError> {
    let Some(digest) = row.bytes(column).map_err(broken)? else { return Ok(None) };
    let digest = <[u8; 32]>::try_from(digest).map_err(|_| broken("a digest is not 32 bytes"))?;
    Ok(Some(KeyDigest::from_bytes(digest)))
}

pub(super) fn timestamp(nanoseconds: i64) -> Timestamp {
    Timestamp::from_unix_nanoseconds(u64::try_from(nanoseconds).unwrap_or(0))
}

/// Writes an instant. An instant after the year 2262 becomes the last that fits.
pub(super) fn column(instant: Timestamp) -> i64 {
    i64::try_from(instant.unix_nanoseconds()).unwrap_or(i64::MAX)
}
