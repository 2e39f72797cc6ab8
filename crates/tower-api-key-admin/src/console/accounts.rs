//! The pages of accounts.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use http::StatusCode;
use tower_api_key::key::Account;
use tower_api_key::store::BrokenRow;

use super::fields::Fields;
use super::frame::{Frame, Section};
use super::listing::following;
use super::problem::{page, sentence};
use super::text;
use super::visit::Visit;
use crate::management::{CounterEntry, ManagementError};

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
    quotas: Vec<Bar>,
    quota_problem: Option<String>,
}

struct AccountRow {
    id: String,
    state: &'static str,
    plan: String,
    quotas: String,
    scopes: String,
}

/// What is used of a quota.
struct Bar {
    name: String,
    text: String,
    limit: u32,
    used: u32,
    /// From here on a bar warns.
    high: u32,
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

/// Shows an account, with what is used of its quotas.
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
    let (quotas, quota_problem) = match management.read_account_counters(&visit.caller, id).await {
        Ok(statuses) if statuses.is_empty() => {
            (Vec::new(), Some("No quotas of its own, and none of a plan.".to_owned()))
        }
        Ok(statuses) => (statuses, None),
        Err(error) => (Vec::new(), Some(sentence(&error))),
    };
    let bar = |CounterEntry { quota, status, .. }: &CounterEntry| Bar {
        name: quota.name().to_owned(),
        text: quota.to_string(),
        limit: status.limit(),
        used: status.limit().saturating_sub(status.remaining()),
        high: status.limit() / 5 * 4,
    };
    Ok(AccountPage {
        frame: visit.frame(Section::Accounts),
        id: row.id,
        state: row.state,
        plan: row.plan,
        scopes: row.scopes,
        quotas: quotas.iter().map(bar).collect(),
        quota_problem,
    })
}
