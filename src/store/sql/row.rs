//! From rows to records, and back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::super::error::StoreError;
use super::super::manage::{KeyEntry, SecretEntry};
use crate::clock::Timestamp;
use crate::key::{Account, Algorithm, KeyDigest, KeyRecord, OnLimiterFailure, Per, Quota};

/// A quota as JSON.
#[derive(Serialize, Deserialize)]
struct QuotaColumn {
    name: String,
    limit: u32,
    /// In nanoseconds.
    window: u64,
    algorithm: String,
    per: String,
    /// Rows of before there was a shadow do not say.
    #[serde(default)]
    shadow: bool,
    /// None leaves it to the gate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    on_failure: Option<String>,
}

const ALGORITHMS: [(Algorithm, &str); 5] = [
    (Algorithm::FixedWindow, "fixed_window"),
    (Algorithm::LeakyBucket, "leaky_bucket"),
    (Algorithm::SlidingWindow, "sliding_window"),
    (Algorithm::CalendarDay, "calendar_day"),
    (Algorithm::CalendarMonth, "calendar_month"),
];
const PERS: [(Per, &str); 2] = [(Per::Account, "account"), (Per::Key, "key")];

/// Says that a row is not one that this program has written.
fn broken(what: impl std::fmt::Display) -> StoreError {
    StoreError::new(format!("a row of the database is broken: {what}"))
}

/// Reads a record. `secret_expires` is of the secret that it was found by, if it was.
pub(super) fn record(row: &AnyRow, by_secret: bool) -> Result<KeyRecord, StoreError> {
    let text = |name: &str| row.try_get::<String, _>(name).map_err(broken);
    let optional = |name: &str| row.try_get::<Option<String>, _>(name).map_err(broken);
    let instant = |name: &str| row.try_get::<Option<i64>, _>(name).map_err(broken);
    let flag = |name: &str| row.try_get::<i64, _>(name).map(|flag| flag != 0).map_err(broken);
    let account = account_of(
        text("account")?,
        flag("account_disabled")?,
        &text("account_scopes")?,
        optional("account_quotas")?,
        optional("plan")?,
    )?;
    let mut key = KeyRecord::builder(text("id")?, Arc::new(account))
        .disabled(flag("disabled")?)
        .revoked(flag("revoked")?);
    if let Some(owner) = optional("owner")? {
        key = key.owner(owner);
    }
    if let Some(kind) = optional("kind")? {
        key = key.kind(kind);
    }
    if let Some(environment) = optional("environment")? {
        key = key.environment(environment);
    }
    let (name, description) = (text("name")?, text("description")?);
    if !name.is_empty() {
        key = key.name(name);
    }
    if !description.is_empty() {
        key = key.description(description);
    }
    if let Some(scopes) = optional("scopes")? {
        key = key.scopes(json::<Vec<String>>(&scopes)?);
    }
    let networks: Vec<String> = json(&text("networks")?)?;
    if !networks.is_empty() {
        key = key.networks(networks.iter().map(String::as_str));
    }
    if let Some(quotas) = optional("quotas")? {
        key = key.quotas(read_quotas(&quotas)?);
    }
    for (name, value) in json::<BTreeMap<String, String>>(&text("metadata")?)? {
        key = key.metadata(name, value);
    }
    if let Some(begins) = instant("not_before")? {
        key = key.not_before(timestamp(begins));
    }
    let of_secret = if by_secret { instant("secret_expires")? } else { None };
    let ends = [instant("expires")?, of_secret].into_iter().flatten().min();
    if let Some(ends) = ends {
        key = key.expires(timestamp(ends));
    }
    key.build().map_err(broken)
}

/// Reads a row of `accounts`.
pub(super) fn account(row: &AnyRow) -> Result<Account, StoreError> {
    account_of(
        row.try_get("id").map_err(broken)?,
        row.try_get::<i64, _>("disabled").map_err(broken)? != 0,
        &row.try_get::<String, _>("scopes").map_err(broken)?,
        row.try_get("quotas").map_err(broken)?,
        row.try_get("plan").map_err(broken)?,
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

/// Reads keys with their secrets, of each key a row for each of them.
pub(super) fn entries(rows: &[AnyRow]) -> Result<Vec<KeyEntry>, StoreError> {
    let mut entries: Vec<KeyEntry> = Vec::new();
    for row in rows {
        let id: &str = row.try_get("id").map_err(broken)?;
        let secret = secret(row)?;
        match entries.last_mut() {
            Some(entry) if entry.record.id().as_str() == id => entry.secrets.extend(secret),
            _ => entries.push(KeyEntry {
                record: record(row, false)?,
                created: timestamp(row.try_get("created").map_err(broken)?),
                secrets: secret.into_iter().collect(),
            }),
        }
    }
    Ok(entries)
}

fn secret(row: &AnyRow) -> Result<Option<SecretEntry>, StoreError> {
    let instant = |name: &str| row.try_get::<Option<i64>, _>(name).map_err(broken);
    // A key whose secrets somebody deleted by hand has none.
    let Some(created) = instant("secret_created")? else { return Ok(None) };
    let mut entry = SecretEntry::new(digest(row)?, timestamp(created));
    entry.expires = instant("secret_expires")?.map(timestamp);
    entry.last_used = instant("last_used")?.map(timestamp);
    Ok(Some(entry))
}

/// Reads a digest.
pub(super) fn digest(row: &AnyRow) -> Result<KeyDigest, StoreError> {
    let digest: Vec<u8> = row.try_get("digest").map_err(broken)?;
    let digest = <[u8; 32]>::try_from(digest).map_err(|_| broken("a digest is not 32 bytes"))?;
    Ok(KeyDigest::from_bytes(digest))
}

fn json<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(broken)
}

fn read_quotas(text: &str) -> Result<Vec<Quota>, StoreError> {
    let columns: Vec<QuotaColumn> = json(text)?;
    let quota = |column: QuotaColumn| {
        let algorithm = named(&ALGORITHMS, &column.algorithm)?;
        let per = named(&PERS, &column.per)?;
        let window = Duration::from_nanos(column.window);
        let quota = Quota::named(column.name, column.limit, window).counted(algorithm).each(per);
        let quota = if column.shadow { quota.in_shadow() } else { quota };
        Ok(match column.on_failure {
            Some(choice) => {
                let choice = OnLimiterFailure::parse(&choice);
                quota.on_failure(choice.ok_or_else(|| broken("an unknown choice on failure"))?)
            }
            None => quota,
        })
    };
    columns.into_iter().map(quota).collect()
}

fn named<T: Copy>(names: &[(T, &str)], name: &str) -> Result<T, StoreError> {
    let found = names.iter().find(|(_, other)| *other == name);
    found.map(|(value, _)| *value).ok_or_else(|| broken("an unknown name"))
}

/// Writes quotas as JSON.
pub(super) fn write_quotas(quotas: &[Quota]) -> String {
    let name_of = |quota: &Quota| {
        let algorithm = ALGORITHMS.iter().find(|(algorithm, _)| *algorithm == quota.algorithm());
        let per = PERS.iter().find(|(per, _)| *per == quota.per());
        (algorithm.map_or("", |(_, name)| name), per.map_or("", |(_, name)| name))
    };
    let columns: Vec<QuotaColumn> = quotas
        .iter()
        .map(|quota| {
            let (algorithm, per) = name_of(quota);
            QuotaColumn {
                name: quota.name().to_owned(),
                limit: quota.limit(),
                window: crate::clock::nanoseconds(quota.window()),
                algorithm: algorithm.to_owned(),
                per: per.to_owned(),
                shadow: quota.is_shadow(),
                on_failure: quota.failure_choice().map(|choice| choice.to_string()),
            }
        })
        .collect();
    write(&columns)
}

/// Writes a list or a map as JSON.
pub(super) fn write(value: &impl Serialize) -> String {
    // Lists and maps of text and numbers always can be.
    serde_json::to_string(value).unwrap_or_default()
}

pub(super) fn timestamp(nanoseconds: i64) -> Timestamp {
    Timestamp::from_unix_nanoseconds(u64::try_from(nanoseconds).unwrap_or(0))
}

/// Writes an instant; one beyond the year 2262 becomes the last that fits.
pub(super) fn column(instant: Timestamp) -> i64 {
    i64::try_from(instant.unix_nanoseconds()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::key::Share;

    #[test]
    fn quotas_are_read_as_they_are_written_and_as_they_once_were() {
        let (window, nodes) = (Duration::from_secs(60), NonZeroU32::new(3).unwrap());
        let quotas = [
            Quota::named("minute", 5, window).counted(Algorithm::LeakyBucket).each(Per::Key),
            Quota::by_day("day", 7).in_shadow(),
            Quota::by_month("month", 9),
            Quota::by_month("deny", 9).on_failure(OnLimiterFailure::Deny),
            Quota::by_month("allow", 9).on_failure(OnLimiterFailure::Allow),
            Quota::by_month("local", 9).on_failure(OnLimiterFailure::Local(Share::of(nodes))),
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
