//! Converts rows to records, and records to columns.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::driver::{Columns, Row};
use tower_api_key::clock::Timestamp;
use tower_api_key::key::{Account, KeyDigest, KeyRecord};
use tower_api_key::quota::Quota;
use tower_api_key::store::{BrokenRow, KeyEntry, SecretEntry, StoreError};

/// A quota as JSON.
#[derive(Serialize, Deserialize)]
struct QuotaColumn {
    name: String,
    limit: u32,
    /// In nanoseconds.
    window: u64,
    algorithm: String,
    per: String,
    /// Rows of earlier releases lack this field.
    #[serde(default)]
    shadow: bool,
    /// `None`: the gate's own choice applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    on_failure: Option<String>,
}

/// The id of a key, and its entry or the error of its row.
type Identified = (String, Result<KeyEntry, StoreError>);

/// Returns the error for a row that this program did not write.
fn broken(what: impl std::fmt::Display) -> StoreError {
    StoreError::new(format!("a row of the database is broken: {what}"))
}

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

fn instant(row: &dyn Columns, column: &str) -> Result<Option<Timestamp>, StoreError> {
    Ok(row.number(column).map_err(broken)?.map(timestamp))
}

fn flag(row: &dyn Columns, column: &str) -> Result<bool, StoreError> {
    Ok(number(row, column)? != 0)
}

/// Reads a record. With `by_secret`, the end of the secret counts, too.
pub(super) fn record(row: &dyn Columns, by_secret: bool) -> Result<KeyRecord, StoreError> {
    let account = account_of(
        text(row, "account")?,
        flag(row, "account_disabled")?,
        &text(row, "account_scopes")?,
        optional(row, "account_quotas")?,
        optional(row, "plan")?,
    )?;
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
                let secret = secret(row);
                if let Ok(known) = entry {
                    match secret {
                        Ok(secret) => known.secrets.extend(secret),
                        Err(error) => *entry = Err(error),
                    }
                }
            }
            _ => entries.push((id, entry(row))),
        }
    }
    Ok(entries)
}

fn entry(row: &dyn Columns) -> Result<KeyEntry, StoreError> {
    Ok(KeyEntry {
        record: record(row, false)?,
        created: timestamp(number(row, "created")?),
        secrets: secret(row)?.into_iter().collect(),
    })
}

/// Returns the id and the problem of a broken row.
pub(super) fn broken_row(id: String, error: &StoreError) -> BrokenRow {
    let cause = std::error::Error::source(error);
    BrokenRow { id, problem: cause.map_or_else(|| error.to_string(), ToString::to_string) }
}

fn secret(row: &dyn Columns) -> Result<Option<SecretEntry>, StoreError> {
    // A key has no secret if its secrets were deleted by hand.
    let Some(created) = instant(row, "secret_created")? else { return Ok(None) };
    let mut entry = SecretEntry::new(digest(row)?, created);
    entry.expires = instant(row, "secret_expires")?;
    entry.last_used = instant(row, "last_used")?;
    Ok(Some(entry))
}

/// Reads a digest.
pub(super) fn digest(row: &dyn Columns) -> Result<KeyDigest, StoreError> {
    let digest = row.bytes("digest").map_err(broken)?.unwrap_or_default();
    let digest = <[u8; 32]>::try_from(digest).map_err(|_| broken("a digest is not 32 bytes"))?;
    Ok(KeyDigest::from_bytes(digest))
}

fn json<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(broken)
}

fn read_quotas(text: &str) -> Result<Vec<Quota>, StoreError> {
    let columns: Vec<QuotaColumn> = json(text)?;
    let quota = |column: QuotaColumn| {
        let algorithm = column.algorithm.parse().map_err(broken)?;
        let per = column.per.parse().map_err(broken)?;
        let window = Duration::from_nanos(column.window);
        let quota =
            Quota::named(column.name, column.limit, window).with_algorithm(algorithm).with_per(per);
        let quota = if column.shadow { quota.in_shadow() } else { quota };
        Ok(match column.on_failure {
            Some(choice) => quota.with_failure_choice(choice.parse().map_err(broken)?),
            None => quota,
        })
    };
    columns.into_iter().map(quota).collect()
}

/// Writes quotas as JSON.
pub(super) fn write_quotas(quotas: &[Quota]) -> String {
    let columns: Vec<QuotaColumn> = quotas
        .iter()
        .map(|quota| QuotaColumn {
            name: quota.name().to_owned(),
            limit: quota.limit(),
            window: u64::try_from(quota.window().as_nanos()).unwrap_or(u64::MAX),
            algorithm: quota.algorithm().to_string(),
            per: quota.per().to_string(),
            shadow: quota.is_in_shadow(),
            on_failure: quota.failure_choice().map(|choice| choice.to_string()),
        })
        .collect();
    write(&columns)
}

/// Writes a list or a map as JSON.
pub(super) fn write(value: &impl Serialize) -> String {
    // Lists and maps of text and numbers can always be written as JSON.
    serde_json::to_string(value).unwrap_or_default()
}

pub(super) fn timestamp(nanoseconds: i64) -> Timestamp {
    Timestamp::from_unix_nanoseconds(u64::try_from(nanoseconds).unwrap_or(0))
}

/// Writes an instant. An instant after the year 2262 becomes the last that fits.
pub(super) fn column(instant: Timestamp) -> i64 {
    i64::try_from(instant.unix_nanoseconds()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use tower_api_key::quota::{Algorithm, OnLimiterFailure, Per, Share};

    #[test]
    fn quotas_are_read_as_they_are_written_and_as_they_once_were() {
        let (window, nodes) = (Duration::from_secs(60), NonZeroU32::new(3).unwrap());
        let quotas = [
            Quota::named("minute", 5, window)
                .with_algorithm(Algorithm::LeakyBucket)
                .with_per(Per::Key),
            Quota::by_day("day", 7).in_shadow(),
            Quota::by_month("month", 9),
            Quota::by_month("deny", 9).with_failure_choice(OnLimiterFailure::Deny),
            Quota::by_month("allow", 9).with_failure_choice(OnLimiterFailure::Allow),
            Quota::by_month("local", 9)
                .with_failure_choice(OnLimiterFailure::Local(Share::of(nodes))),
        ];
        assert_eq!(read_quotas(&write_quotas(&quotas)).unwrap(), quotas);
        let old = r#"[{"name":"minute","limit":5,"window":60000000000,
            "algorithm":"fixed_window","per":"account"}]"#;
        assert_eq!(read_quotas(old).unwrap(), [Quota::named("minute", 5, window)]);
        let unknown = old.replace("fixed_window", "guess");
        assert!(read_quotas(&unknown).is_err());
        for (choice, fine) in
            [("deny", true), ("local/2", true), ("local/0", false), ("hope", false)]
        {
            let said = old.replace("}]", &format!(r#","on_failure":"{choice}"}}]"#));
            assert_eq!(read_quotas(&said).is_ok(), fine, "{choice}");
        }
    }
}
