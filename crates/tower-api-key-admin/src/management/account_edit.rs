//! An account to save, and an edit of an account.

use tower_api_key::key::{Account, AccountBuilder, InvalidRecord};
use tower_api_key::quota::Quota;

use super::error::ManagementError;
use super::field::Field;
use super::key_draft::{check_count, check_quotas};

/// An account to save.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AccountDraft {
    /// The scopes that the account's keys inherit.
    pub scopes: Vec<String>,
    /// The account's own quotas. With `None` those of its plan apply.
    pub quotas: Option<Vec<Quota>>,
    /// The plan of the account.
    pub plan: Option<String>,
    /// Whether all keys of the account are disabled.
    pub disabled: bool,
}

impl AccountDraft {
    /// Describes an account as it is.
    pub fn of(account: &Account) -> Self {
        Self {
            scopes: account.scopes().iter().map(str::to_owned).collect(),
            quotas: account.quotas().map(|quotas| quotas.as_slice().to_vec()),
            plan: account.plan().map(ToString::to_string),
            disabled: account.is_disabled(),
        }
    }

    /// Builds the account, and names the first field that is not valid.
    pub(super) fn account(&self, id: &str) -> Result<Account, ManagementError> {
        check_count("scopes", self.scopes.len())?;
        let checked = |field: &'static str, builder: AccountBuilder| {
            let built: Result<Account, InvalidRecord> = builder.clone().build();
            built.map(|_| builder).map_err(|problem| ManagementError::invalid(field, problem))
        };
        let mut account = checked("id", Account::builder(id).disabled(self.disabled))?;
        account = checked("scopes", account.scopes(&self.scopes))?;
        if let Some(quotas) = &self.quotas {
            check_quotas(quotas)?;
            account = checked("quotas", account.quotas(quotas.iter().cloned()))?;
        }
        if let Some(plan) = &self.plan {
            account = checked("plan", account.plan(plan))?;
        }
        account.build().map_err(|problem| ManagementError::invalid("request", problem))
    }
}

/// An edit of an account. What is not named keeps its value.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AccountEdit {
    /// The scopes that the account's keys inherit.
    pub scopes: Field<Vec<String>>,
    /// The account's own quotas.
    pub quotas: Field<Vec<Quota>>,
    /// The plan of the account.
    pub plan: Field<String>,
    /// Whether all keys of the account are disabled.
    pub disabled: Option<bool>,
}

impl AccountEdit {
    /// Returns an account with this edit.
    pub(super) fn applied(self, account: &Account) -> AccountDraft {
        let AccountDraft { scopes, quotas, plan, disabled } = AccountDraft::of(account);
        AccountDraft {
            scopes: edited(Some(scopes), self.scopes).unwrap_or_default(),
            quotas: edited(quotas, self.quotas),
            plan: edited(plan, self.plan),
            disabled: self.disabled.unwrap_or(disabled),
        }
    }
}

fn edited<T>(before: Option<T>, field: Field<T>) -> Option<T> {
    match field {
        Field::Keep => before,
        Field::Remove => None,
        Field::Set(value) => Some(value),
    }
}
