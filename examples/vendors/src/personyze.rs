//! Personyze: the account's users, one insert at a time, and the tracker.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use serde_json::{Value, json};
use tower_api_key::key::Account;
use tower_api_key::{Grant, vendors};

use crate::app::{complaining, unknown};
use crate::data::{Attributes, Table, Tables, object};
use crate::database::Database;
use crate::gates::Gates;
use crate::keys::{Keys, account};
use crate::{Failure, openapi};

pub(crate) const VENDOR: &str = "personyze";

/// What the service itself does.
const DOCUMENT: &str = include_str!("../openapi/personyze.json");

/// Builds the routes of `/rest`, behind their gate.
pub(crate) async fn router(
    keys: &mut Keys,
    database: &Database,
    gates: &Gates,
) -> Result<Router, Failure> {
    let store = database.of(VENDOR);
    let mut keys = keys.of(VENDOR, &vendors::personyze::ISSUED, &store);
    let owner = |name: &str| -> Result<Arc<Account>, Failure> { account(name, &[]) };
    keys.add("active", &owner("personyze-acme")?, None, |key| key).await?;
    keys.add("other_account", &owner("personyze-globex")?, None, |key| key).await?;
    keys.add("revoked", &owner("personyze-initech")?, None, |key| key.revoked(true)).await?;
    keys.unlisted(None)?;

    let gate = gates.of(&vendors::PERSONYZE, vendors::personyze::ROUTES, &store)?;
    let document = gate.openapi().merged(&openapi::read(DOCUMENT)?)?;
    let router = Router::new()
        .route("/rest/users", get(list).post(insert))
        .route("/rest/users/where/{condition}", get(find))
        .route("/rest/tracker", get(track));
    let router = unknown(
        router,
        &["/rest", "/rest/", "/rest/{*unknown}"],
        &any(|| async { (StatusCode::NOT_FOUND, "Not found") }),
    );
    let complain = |status, message| (status, message).into_response();
    let router = complaining(router, complain).layer(gate).with_state(Tables::new(sample));
    Ok(openapi::serve(router, VENDOR, &document))
}

fn sample(account: &str) -> Table {
    let user = |number: u32, name: &str| {
        let email = format!("{name}@{account}.example");
        json!({ "internal_id": number, "email": email })
    };
    Table::new("", [user(1, "ada"), user(2, "grace")])
}

async fn list(grant: Grant, State(users): State<Tables>) -> Json<Value> {
    Json(users.of(&grant, |table| table.list(|_, user| json!(user))))
}

async fn find(
    grant: Grant,
    State(users): State<Tables>,
    Path(condition): Path<String>,
) -> Response {
    let number = condition.strip_prefix("internal_id=").and_then(|id| id.parse::<u64>().ok());
    let Some(number) = number else {
        return bad_request("The condition must be internal_id={number}");
    };
    let found = users.of(&grant, |table| table.get(&number.to_string()));
    Json(found.into_iter().collect::<Vec<_>>()).into_response()
}

/// Inserts a user, or replaces the user with the same `internal_id`.
async fn insert(grant: Grant, State(users): State<Tables>, content: Bytes) -> Response {
    let Some(mut user) = object(&content) else {
        return bad_request("The body must be a JSON object");
    };
    let inserted = match user.get("internal_id").map(Value::as_u64) {
        None => users.of(&grant, |table| {
            let id = table.add(Attributes::new());
            user.insert("internal_id".into(), json!(id.parse::<u64>().ok()));
            table.put(id, user.clone());
            user
        }),
        Some(Some(number)) => users.of(&grant, |table| {
            table.put(number.to_string(), user.clone());
            user
        }),
        Some(None) => return bad_request("internal_id must be a whole number"),
    };
    Json(inserted).into_response()
}

async fn track() -> &'static str {
    "tracked"
}

fn bad_request(message: &'static str) -> Response {
    (StatusCode::BAD_REQUEST, message).into_response()
}
