//! Secrets that SQLite packs into one text.

use std::borrow::Cow;

use serde::Deserialize;

use super::super::driver::Columns;
use tower_api_key::key::KeyDigest;

/// A row of the statement for packed secrets, column by column.
#[derive(Deserialize)]
pub(super) struct PackedSecret<'a> {
    #[serde(borrow)]
    digest: Cow<'a, str>,
    secret_expires: Option<i64>,
    id: Option<String>,
    account: Option<String>,
    owner: Option<String>,
    kind: Option<String>,
    environment: Option<String>,
    name: Option<String>,
    description: Option<String>,
    scopes: Option<String>,
    networks: Option<String>,
    quotas: Option<String>,
    metadata: Option<String>,
    not_before: Option<i64>,
    expires: Option<i64>,
    disabled: Option<i64>,
    revoked: Option<i64>,
    audience: Option<String>,
    form: Option<String>,
    account_disabled: Option<i64>,
    account_scopes: Option<String>,
    account_quotas: Option<String>,
    plan: Option<String>,
}

/// Returns the error of a column that is not packed.
fn missing<T>(column: &str) -> Result<T, sqlx::Error> {
    Err(sqlx::Error::ColumnNotFound(column.to_owned()))
}

impl Columns for PackedSecret<'_> {
    fn text(&self, column: &str) -> Result<Option<String>, sqlx::Error> {
        let text = match column {
            "id" => &self.id,
            "account" => &self.account,
            "owner" => &self.owner,
            "kind" => &self.kind,
            "environment" => &self.environment,
            "name" => &self.name,
            "description" => &self.description,
            "scopes" => &self.scopes,
            "networks" => &self.networks,
            "quotas" => &self.quotas,
            "metadata" => &self.metadata,
            "audience" => &self.audience,
            "form" => &self.form,
            "account_scopes" => &self.account_scopes,
            "account_quotas" => &self.account_quotas,
            "plan" => &self.plan,
            _ => return missing(column),
        };
        Ok(text.clone())
    }

    fn number(&self, column: &str) -> Result<Option<i64>, sqlx::Error> {
        Ok(match column {
            "secret_expires" => self.secret_expires,
            "not_before" => self.not_before,
            "expires" => self.expires,
            "disabled" => self.disabled,
            "revoked" => self.revoked,
            "account_disabled" => self.account_disabled,
            _ => return missing(column),
        })
    }

    fn bytes(&self, column: &str) -> Result<Option<Vec<u8>>, sqlx::Error> {
        if column != "digest" {
            return missing(column);
        }
        // Another text is no digest, and its row is left out as that of a digest of another length.
        let digest = self.digest.parse::<KeyDigest>().ok();
        Ok(digest.map(|digest| digest.as_bytes().to_vec()))
    }
}
