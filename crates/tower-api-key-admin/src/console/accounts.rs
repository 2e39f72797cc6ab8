//! The pages of accounts.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use form_urlencoded::Serializer;
use http::StatusCode;
use tower_api_key::key::Account;
use tower_api_key::policy::PolicySubject;
use tower_api_key::quota::Quotas;
use tower_api_key::store::BrokenRow;

use super::fields::Fields;
use super::frame::{Frame, Section};
use super::listing::following;
use super::problem::page;
use super::quotas::ShownQuotas;
use super::text;
use super::usage::{ShownUsage, UsedBy, month};
use super::visit::Visit;
use crate::management::ManagementError;

#[derive(Template)]
#[template(path = "console/accounts.html")]
struct AccountsPage {
    frame: Frame,
    rows: Vec<AccountRow>,
    broken: Vec<BrokenRow>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "console/account.html")]
struct AccountPage {
    frame: Frame,
    id: String,
    state: &'static str,
    plan: String,
    scopes: String,
    quotas: ShownQuotas,
    usage: ShownUsage,
    month: String,
    /// The page that adds or edits the policy for the account; `None` if the visitor may not.
    policy_page: Option<String>,
}

struct AccountRow {
    id: String,
    state: &'static str,
    plan: String,
    quotas: String,
    scopes: String,
}

impl AccountRow {
    fn of(account: &Account) -> Self {
        let quotas = account.quotas().map(|quotas| text::joined(quotas.as_slice()));
        Self {
            id: account.id().to_string(),
            state: if account.is_disabled() { "disabled" } else { "active" },
            plan: account.plan().map_or_else(|| "none".to_owned(), ToString::to_string),
            quotas: quotas.unwrap_or_default(),
            scopes: account.scopes().to_string(),
        }
    }
}

/// Lists accounts.
pub(super) async fn accounts(
    visit: Visit,
    Query(fields): Query<Vec<(String, String)>>,
) -> Response {
    let fields = Fields(fields);
    let management = &visit.shared.management;
    let listed = management.list_accounts(&visit.caller, fields.filled("after"), None).await;
    let listed = match listed {
        Ok(listed) => listed,
        Err(error) => return visit.refused(&error),
    };
    let accounts = AccountsPage {
        frame: visit.frame(Section::Accounts),
        rows: listed.found.iter().map(|account| AccountRow::of(account)).collect(),
        next: listed.next.map(|after| following(&fields, &after)),
        broken: listed.broken,
    };
    page(StatusCode::OK, &accounts)
}

/// Shows an account, with its usage and what is used of its quotas.
pub(super) async fn account(visit: Visit, Query(fields): Query<Vec<(String, String)>>) -> Response {
    match found(&visit, Fields(fields).text("id")).await {
        Ok(found) => page(StatusCode::OK, &found),
        Err(error) => visit.refused(&error),
    }
}

async fn found(visit: &Visit, id: &str) -> Result<AccountPage, ManagementError> {
    let management = &visit.shared.management;
    let account = management.show_account(&visit.caller, id).await?;
    let row = AccountRow::of(&account);
    let counters = management.read_account_counters(&visit.caller, id).await;
    let own = account.quotas().map(Quotas::as_slice);
    let quotas = ShownQuotas::of(counters, own, "No quotas of its own, and none of a plan.");
    let policy_page = policy_page(visit, &account).await;
    Ok(AccountPage {
        policy_page,
        frame: visit.frame(Section::Accounts),
        id: row.id,
        state: row.state,
        plan: row.plan,
        scopes: row.scopes,
        quotas,
        usage: UsedBy::Account(id).shown(visit).await,
        month: month(management.now()),
    })
}

/// Returns the page on which the visitor changes the policy for an account.
async fn policy_page(visit: &Visit, account: &Account) -> Option<String> {
    let (shared, management) = (&visit.shared, &visit.shared.management);
    let subject = PolicySubject::Account(account.id().clone());
    if !management.may_change_policy(&visit.caller, &subject) {
        return None;
    }
    match management.show_policy(&visit.caller, &subject).await {
        Ok(_) => Some(shared.last_of_key("edit-policy", &subject.to_string())),
        Err(ManagementError::NotFound(_)) => {
            let account = account.id().as_str();
            let query = Serializer::new(String::new()).append_pair("account", account).finish();
            Some(format!("new-policy?{query}"))
        }
        Err(_) => None,
    }
}
