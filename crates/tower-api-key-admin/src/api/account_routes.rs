//! The routes of accounts.

use axum::extract::State;
use axum::response::Response;
use axum::routing::{delete, get, patch, put};
use http::{StatusCode, Uri};
use serde::Deserialize;
use tower_api_key::key::Account;
use tower_api_key::store::Version;

use super::account_bodies::{AccountBody, AccountView, EditAccountBody};
use super::answers::{deleted, page, shown};
use super::asking::{Asking, PathId};
use super::change_body::ChangeBody;
use super::key_parameters::{after, limit};
use super::operation::Operation;
use super::problem::Problem;
use super::{schema, strict};
use crate::management::Management;
use crate::management::scopes::{ACCOUNTS_READ, ACCOUNTS_WRITE};

/// Lists the operations on accounts.
pub(super) fn operations() -> Vec<Operation> {
    let account = || schema::reference("Account");
    vec![
        Operation::new("get", "/accounts", "listAccounts", "Lists accounts", get(list))
            .needs(ACCOUNTS_READ)
            .parameters([after(), limit()])
            .answer(200, "A page of accounts, in the order of their ids", schema::page("Account"))
            .also_fails_with([422]),
        Operation::new("get", "/accounts/{id}", "showAccount", "Shows an account", get(show))
            .needs(ACCOUNTS_READ)
            .answer(200, "The account", account())
            .shows_version(),
        Operation::new(
            "put",
            "/accounts/{id}",
            "saveAccount",
            "Adds or replaces an account",
            put(save),
        )
        .needs(ACCOUNTS_WRITE)
        .body("AccountBody")
        .changes()
        .conditional(true)
        .or_absent()
        .answer(200, "The account afterwards", account())
        .answer(201, "The new account", account())
        .shows_version(),
        Operation::new("patch", "/accounts/{id}", "editAccount", "Edits an account", patch(edit))
            .needs(ACCOUNTS_WRITE)
            .patch("EditAccountBody")
            .changes()
            .conditional(true)
            .answer(200, "The account afterwards", account())
            .shows_version(),
        Operation::new(
            "delete",
            "/accounts/{id}",
            "deleteAccount",
            "Deletes an account with all its keys",
            delete(remove),
        )
        .needs(ACCOUNTS_WRITE)
        .changes()
        .conditional(false)
        .empty_answer("The account is deleted"),
    ]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountParameters {
    after: Option<String>,
    limit: Option<usize>,
}

async fn list(
    State(management): State<Management>,
    Asking(caller): Asking,
    uri: Uri,
) -> Result<Response, Problem> {
    let AccountParameters { after, limit } = strict::query(uri.query())?;
    let listed = management.list_accounts(&caller, after.as_deref(), limit).await?;
    Ok(page(listed, |account| AccountView::of(account)))
}

async fn show(
    State(management): State<Management>,
    Asking(caller): Asking,
    PathId(id): PathId,
) -> Result<Response, Problem> {
    let account = management.show_account(&caller, &id).await?;
    Ok(of_account(StatusCode::OK, &account))
}

async fn save(
    State(management): State<Management>,
    PathId(id): PathId,
    change: ChangeBody,
) -> Result<Response, Problem> {
    let draft = change.json::<AccountBody>()?.draft()?;
    change.require_condition_or_absence()?;
    let request = change.request();
    let account = management.save_account(&change.caller, &id, &draft, &request).await?;
    let status = if change.is_if_absent() { StatusCode::CREATED } else { StatusCode::OK };
    Ok(of_account(status, &account))
}

async fn edit(
    State(management): State<Management>,
    PathId(id): PathId,
    change: ChangeBody,
) -> Result<Response, Problem> {
    let edit = change.json::<EditAccountBody>()?.edit()?;
    change.require_condition()?;
    let account = management.edit_account(&change.caller, &id, &edit, &change.request()).await?;
    Ok(of_account(StatusCode::OK, &account))
}

async fn remove(
    State(management): State<Management>,
    PathId(id): PathId,
    change: ChangeBody,
) -> Result<Response, Problem> {
    change.no_absence()?;
    change.no_body()?;
    management.delete_account(&change.caller, &id, &change.request()).await?;
    Ok(deleted())
}

fn of_account(status: StatusCode, account: &Account) -> Response {
    shown(status, Version::of_account(account), AccountView::of(account))
}
