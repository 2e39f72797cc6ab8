//! The pages that add and edit an account.

use askama::Template;
use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use tower_api_key::key::Account;
use tower_api_key::store::Version;

use super::changes;
use super::conflict::{Conflict, Conflicts};
use super::fields::Fields;
use super::frame::{Frame, Section};
use super::problem::{page, sentence};
use super::quota_rows::QuotaRows;
use super::text;
use super::visit::{Sent, Visit};
use crate::management::{AccountDraft, AccountEdit, ChangeRequest, ManagementError};

#[derive(Template)]
#[template(path = "console/account_form.html")]
struct AccountForm {
    frame: Frame,
    title: String,
    page: &'static str,
    is_new: bool,
    problem: Option<String>,
    conflicts: Conflicts,
    form: AccountValues,
    plans: Vec<String>,
}

/// The values of the form.
#[derive(Default)]
struct AccountValues {
    id: String,
    version: String,
    plan: String,
    scopes: String,
    quotas: QuotaRows,
    disabled: bool,
    reason: String,
}

impl AccountValues {
    fn of(account: &Account) -> Self {
        Self {
            id: account.id().to_string(),
            version: Version::of_account(account).to_string(),
            plan: account.plan().map(ToString::to_string).unwrap_or_default(),
            scopes: account.scopes().to_string(),
            quotas: QuotaRows::of(account),
            disabled: account.is_disabled(),
            reason: String::new(),
        }
    }

    fn sent(fields: &Fields) -> Self {
        let owned = |name| fields.text(name).to_owned();
        Self {
            id: owned("id"),
            version: owned("version"),
            plan: owned("plan"),
            scopes: text::joined(fields.words("scopes")),
            quotas: QuotaRows::sent(fields),
            disabled: fields.has("disabled", "true"),
            reason: owned("reason"),
        }
    }

    fn plan(&self) -> Option<String> {
        Some(self.plan.clone()).filter(|plan| !plan.is_empty())
    }

    fn scopes(&self) -> Vec<String> {
        self.scopes.split_whitespace().map(str::to_owned).collect()
    }

    fn conflicts(&self, stored: &Self) -> Vec<Conflict> {
        let disabled = |values: &Self| Conflict::checked(values.disabled);
        Conflict::between([
            ("plan", stored.plan.clone(), self.plan.clone()),
            ("scopes", stored.scopes.clone(), self.scopes.clone()),
            ("quotas", stored.quotas.text(), self.quotas.text()),
            ("disabled", disabled(stored), disabled(self)),
        ])
    }

    /// Shows the form, if the visitor may send it.
    fn answer(
        mut self,
        visit: &Visit,
        is_new: bool,
        error: Option<&ManagementError>,
        conflicts: Conflicts,
    ) -> Response {
        if let Err(error) = visit.caller.check_account_changes() {
            return visit.refused(&error);
        }
        let plans = visit.shared.management.list_plans(&visit.caller).unwrap_or_default();
        let mut plans: Vec<_> = plans.into_iter().map(|plan| plan.name).collect();
        if !self.plan.is_empty() && !plans.contains(&self.plan) {
            plans.push(self.plan.clone());
        }
        self.quotas = self.quotas.with_room();
        let form = AccountForm {
            frame: visit.frame(Section::Accounts),
            title: if is_new { "Add an account".to_owned() } else { format!("Edit {}", self.id) },
            page: if is_new { "new-account" } else { "edit-account" },
            is_new,
            problem: error.map(sentence),
            conflicts,
            form: self,
            plans,
        };
        page(error.map_or(StatusCode::OK, ManagementError::status), &form)
    }
}

/// Shows the form of a new account.
pub(super) async fn new(visit: Visit) -> Response {
    AccountValues::default().answer(&visit, true, None, Conflicts::default())
}

/// Adds an account, unless there is one with this id.
pub(super) async fn create(Sent { visit, fields }: Sent) -> Response {
    let form = AccountValues::sent(&fields);
    let saved = async {
        let draft = AccountDraft {
            scopes: form.scopes(),
            quotas: form.quotas.chosen()?,
            plan: form.plan(),
            disabled: form.disabled,
        };
        let request = ChangeRequest::new().because(&form.reason).if_absent();
        visit.shared.management.save_account(&visit.caller, &form.id, &draft, &request).await
    };
    match saved.await {
        Ok(_) => Redirect::to(&visit.shared.of_key("account", &form.id)).into_response(),
        // The condition was that there is none.
        Err(ManagementError::VersionDiffers) => {
            form.answer(&visit, true, Some(&ManagementError::Exists), Conflicts::default())
        }
        Err(error) => form.answer(&visit, true, Some(&error), Conflicts::default()),
    }
}

/// Shows the form of an account with its values.
pub(super) async fn edit(visit: Visit, Query(fields): Query<Vec<(String, String)>>) -> Response {
    let fields = Fields(fields);
    match visit.shared.management.show_account(&visit.caller, fields.text("id")).await {
        Ok(account) => {
            let mut form = AccountValues::of(&account);
            let plans = visit.shared.management.list_plans(&visit.caller).unwrap_or_default();
            let plan = plans.iter().find(|plan| plan.name == form.plan);
            form.quotas = form.quotas.with_plan(plan.map(|plan| &plan.quotas));
            form.answer(&visit, false, None, Conflicts::default())
        }
        Err(error) => visit.refused(&error),
    }
}

/// Saves an account, unless someone else has changed it since its form was shown.
pub(super) async fn save(Sent { visit, fields }: Sent) -> Response {
    let management = &visit.shared.management;
    let mut form = AccountValues::sent(&fields);
    let saved = async {
        let version: Version = form.version.parse().map_err(|_| ManagementError::VersionMissing)?;
        let request = ChangeRequest::new().because(&form.reason).if_version(version);
        let edit = AccountEdit {
            scopes: Some(form.scopes()).into(),
            quotas: form.quotas.chosen()?.into(),
            plan: form.plan().into(),
            disabled: Some(form.disabled),
        };
        management.edit_account(&visit.caller, &form.id, &edit, &request).await
    };
    match saved.await {
        Ok(_) => Redirect::to(&visit.shared.of_key("account", &form.id)).into_response(),
        Err(error @ ManagementError::VersionDiffers) => {
            let present = match management.show_account(&visit.caller, &form.id).await {
                Ok(account) => AccountValues::of(&account),
                Err(error) => return visit.refused(&error),
            };
            let last = changes::last_of_account(&visit, &form.id).await;
            let conflicts = Conflicts { fields: form.conflicts(&present), last };
            form.version = present.version;
            form.answer(&visit, false, Some(&error), conflicts)
        }
        Err(error) => form.answer(&visit, false, Some(&error), Conflicts::default()),
    }
}
