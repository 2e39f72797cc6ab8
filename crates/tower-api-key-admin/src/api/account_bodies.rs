//! Accounts in requests and answers.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tower_api_key::key::Account;
use tower_api_key::store::Version;

use super::object::Object;
use super::quota_body::QuotaBody;
use super::schema;
use crate::management::{AccountDraft, AccountEdit, Field, ManagementError};

/// An account to save.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AccountBody {
    scopes: Vec<String>,
    quotas: Option<Vec<Object<QuotaBody>>>,
    plan: Option<String>,
    disabled: bool,
}

impl AccountBody {
    pub(super) fn draft(self) -> Result<AccountDraft, ManagementError> {
        let Self { scopes, quotas, plan, disabled } = self;
        let quotas = quotas.map(QuotaBody::read_all).transpose()?;
        Ok(AccountDraft { scopes, quotas, plan, disabled })
    }

    pub(super) fn schema() -> Value {
        schema::body(
            &[],
            json!({
                "scopes": schema::scopes(),
                "quotas": schema::or_null(schema::quotas()),
                "plan": schema::or_null(schema::name("free")),
                "disabled": { "type": "boolean" },
            }),
        )
    }
}

/// An edit of an account, as a merge patch (RFC 7396).
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct EditAccountBody {
    scopes: Field<Vec<String>>,
    quotas: Field<Vec<Object<QuotaBody>>>,
    plan: Field<String>,
    disabled: Option<bool>,
}

impl EditAccountBody {
    pub(super) fn edit(self) -> Result<AccountEdit, ManagementError> {
        let Self { scopes, quotas, plan, disabled } = self;
        Ok(AccountEdit { scopes, quotas: quotas.try_map(QuotaBody::read_all)?, plan, disabled })
    }

    pub(super) fn schema() -> Value {
        schema::body(
            &[],
            json!({
                "scopes": schema::or_null(schema::scopes()),
                "quotas": schema::or_null(schema::quotas()),
                "plan": schema::or_null(schema::name("free")),
                "disabled": { "type": ["boolean", "null"] },
            }),
        )
    }
}

/// An account, as answers have it.
#[derive(Serialize)]
pub(super) struct AccountView {
    id: String,
    scopes: Vec<String>,
    quotas: Option<Vec<QuotaBody>>,
    plan: Option<String>,
    disabled: bool,
    version: String,
}

impl AccountView {
    pub(super) fn of(account: &Account) -> Self {
        Self {
            id: account.id().to_string(),
            scopes: account.scopes().iter().map(str::to_owned).collect(),
            quotas: account.quotas().map(|quotas| QuotaBody::all_of(quotas.as_slice())),
            plan: account.plan().map(ToString::to_string),
            disabled: account.is_disabled(),
            version: Version::of_account(account).to_string(),
        }
    }

    pub(super) fn schema() -> Value {
        let string = json!({ "type": "string" });
        schema::whole_view(json!({
            "id": string,
            "scopes": { "type": "array", "items": string },
            "quotas": { "type": ["array", "null"], "items": schema::reference("QuotaView") },
            "plan": { "type": ["string", "null"] },
            "disabled": { "type": "boolean" },
            "version": { "type": "string", "description": "The ETag, without quotes." },
        }))
    }
}
