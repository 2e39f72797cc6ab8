//! The OpenAPI document, from the list of operations.

use serde_json::{Map, Value, json};

use super::account_bodies::{AccountBody, AccountView, EditAccountBody};
use super::counter_routes::CounterView;
use super::key_bodies::{CreateKeyBody, EditKeyBody, RevokeBody, RotateBody, WhoIsBody};
use super::key_view::KeyView;
use super::operation::Operation;
use super::policy_bodies::{KeyReviewView, PolicyBody, PolicyView};
use super::problem::Problem;
use super::quota_body::QuotaBody;
use super::trail_routes::ChangeView;
use super::usage_routes::UsageView;
use super::{counter_routes, names_routes, schema};

/// Describes operations below a path.
pub(super) fn document(operations: &[Operation], mount: &str) -> Value {
    let mut paths = Map::new();
    for operation in operations {
        let path = format!("{mount}{}", operation.path);
        let item = paths.entry(path).or_insert_with(|| json!({}));
        if let Some(item) = item.as_object_mut() {
            item.insert(operation.method.to_owned(), operation.describe());
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Management of API keys",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Lists, creates, edits, rotates, revokes and deletes API keys, their accounts and policies.",
        },
        "paths": paths,
        "components": {
            "schemas": {
                "Account": AccountView::schema(),
                "AccountBody": AccountBody::schema(),
                "Change": ChangeView::schema(),
                "Counter": CounterView::schema(),
                "CreateKeyBody": CreateKeyBody::schema(),
                "EditAccountBody": EditAccountBody::schema(),
                "EditKeyBody": EditKeyBody::schema(),
                "IssuedKey": KeyView::issued_schema(),
                "Key": KeyView::schema(),
                "KeyReview": KeyReviewView::schema(),
                "Plan": names_routes::plan_schema(),
                "Policy": PolicyView::schema(),
                "PolicyBody": PolicyBody::schema(),
                "Problem": Problem::schema(),
                "Quota": QuotaBody::schema(),
                "QuotaView": QuotaBody::view_schema(),
                "RaiseBody": counter_routes::RaiseBody::schema(),
                "ResetBody": counter_routes::ResetBody::schema(),
                "RevokeBody": RevokeBody::schema(),
                "Role": names_routes::role_schema(),
                "RotateBody": RotateBody::schema(),
                "Scope": names_routes::scope_schema(),
                "Usage": UsageView::schema(),
                "WhoIsBody": WhoIsBody::schema(),
            },
            "responses": {
                "Problem": {
                    "description": "The request was not done. The problem says why.",
                    "content": { "application/problem+json": { "schema": schema::reference("Problem") } },
                },
            },
        },
    })
}
