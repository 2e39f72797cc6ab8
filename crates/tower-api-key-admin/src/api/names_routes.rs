//! The routes of plans, roles and scopes.

use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde_json::{Value, json};

use super::answers::data;
use super::asking::Asking;
use super::operation::Operation;
use super::problem::Problem;
use super::quota_body::QuotaBody;
use super::schema;
use crate::management::Management;
use crate::management::scopes::{ACCOUNTS_READ, KEYS_READ};

/// Lists the operations on plans, roles and scopes.
pub(super) fn operations() -> Vec<Operation> {
    let data = |of| schema::whole_view(json!({ "data": schema::list(of) }));
    vec![
        Operation::new("get", "/plans", "listPlans", "Lists the plans of accounts", get(plans))
            .needs(ACCOUNTS_READ)
            .answer(200, "All plans, in the order of their names", data("Plan")),
        Operation::new("get", "/roles", "listRoles", "Lists names for sets of scopes", get(roles))
            .needs(KEYS_READ)
            .answer(200, "All roles, in the order of their names", data("Role")),
        Operation::new(
            "get",
            "/scopes",
            "listScopes",
            "Lists the scopes of the deployment",
            get(scopes),
        )
        .needs(KEYS_READ)
        .answer(200, "The catalogue, and whether the caller may grant each", data("Scope")),
    ]
}

pub(super) fn plan_schema() -> Value {
    let quotas = json!({ "type": "array", "items": schema::reference("QuotaView") });
    schema::whole_view(json!({ "name": { "type": "string" }, "quotas": quotas }))
}

pub(super) fn role_schema() -> Value {
    let scopes = json!({ "type": "array", "items": { "type": "string" } });
    schema::whole_view(json!({ "name": { "type": "string" }, "scopes": scopes }))
}

pub(super) fn scope_schema() -> Value {
    schema::whole_view(json!({
        "name": { "type": "string" },
        "description": { "type": "string" },
        "grantable": { "type": "boolean", "description": "Whether the caller may grant it." },
    }))
}

async fn plans(
    State(management): State<Management>,
    Asking(caller): Asking,
) -> Result<Response, Problem> {
    let plans = management.list_plans(&caller)?;
    Ok(data(plans.iter().map(
        |plan| json!({ "name": plan.name, "quotas": QuotaBody::all_of(plan.quotas.as_slice()) }),
    )))
}

async fn roles(
    State(management): State<Management>,
    Asking(caller): Asking,
) -> Result<Response, Problem> {
    let roles = management.list_roles(&caller)?;
    Ok(data(roles.iter().map(
        |role| json!({ "name": role.name, "scopes": role.scopes.iter().collect::<Vec<_>>() }),
    )))
}

async fn scopes(
    State(management): State<Management>,
    Asking(caller): Asking,
) -> Result<Response, Problem> {
    let scopes = management.list_scopes(&caller)?;
    Ok(data(scopes.into_iter().map(|scope| {
        json!({
            "name": scope.name, "description": scope.description, "grantable": scope.grantable,
        })
    })))
}
