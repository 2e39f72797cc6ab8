//! Polyteia: one endpoint. The handler checks the permission that the command needs.

use std::time::{Duration, SystemTime};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use tower_api_key::vendors::polyteia::ISSUED;
use tower_api_key::{Denial, Grant, vendors};

use crate::app::complaining;
use crate::data::{Attributes, Table, Tables};
use crate::database::Database;
use crate::gates::Gates;
use crate::keys::{Keys, account};
use crate::{Failure, openapi};

pub(crate) const VENDOR: &str = "polyteia";

/// The lifetime of the demo's keys.
const LIFETIME: Duration = Duration::from_secs(90 * 86_400);

const READ: &str = "dataset.read";
const WRITE: &str = "dataset.write";

/// What the service itself does.
const DOCUMENT: &str = include_str!("../openapi/polyteia.json");

/// Builds `POST /api`, behind its gate. Keys have no scopes of their own: they inherit their account's
/// scopes at the time of the request.
pub(crate) async fn router(
    keys: &mut Keys,
    database: &Database,
    gates: &Gates,
) -> Result<Router, Failure> {
    let store = database.of(VENDOR);
    let mut keys = keys.of(VENDOR, &ISSUED, &store);
    // Every key of this vendor expires.
    let end = SystemTime::now() + LIFETIME;
    let editor = account("polyteia-editor", &[READ, WRITE])?;
    keys.add("editor", &editor, None, |key| key.expires(end)).await?;
    keys.add("viewer", &account("polyteia-viewer", &[READ])?, None, |key| key.expires(end)).await?;
    let expired = account("polyteia-expired", &[READ, WRITE])?;
    keys.add("expired", &expired, None, |key| {
        key.expires(SystemTime::now() - Duration::from_secs(1))
    })
    .await?;
    let deleted = account("polyteia-deleted", &[READ, WRITE])?;
    keys.add("deleted", &deleted, None, |key| key.expires(end)).await?;
    keys.unlisted(None)?;
    store.manager().delete(&store.id("deleted"), "demo").await?;

    let gate = gates.of(&vendors::POLYTEIA, vendors::polyteia::ROUTES, &store)?;
    // The handler asks for the permission that the command needs.
    let lacks = |scope: &str| Denial::ScopeMissing { needed: scope.into() };
    let described = gate.openapi().handler_refusal(Method::POST, "/api", lacks(WRITE));
    let document = described.merged(&openapi::read(DOCUMENT)?)?;
    let complain = |status, message| {
        let code = match status {
            StatusCode::METHOD_NOT_ALLOWED => "method_not_allowed",
            _ => "invalid_request",
        };
        error(status, code, message)
    };
    let router = complaining(Router::new().route("/api", post(command)), complain);
    let router = router.layer(gate).with_state(Tables::new(sample));
    Ok(openapi::serve(router, VENDOR, &document))
}

fn sample(account: &str) -> Table {
    let dataset = |name: &str| json!({ "name": format!("{name} of {account}") });
    Table::new("ds_", [dataset("Population"), dataset("Budget")])
}

/// The body of `POST /api`.
#[derive(Debug, Deserialize)]
struct Command {
    command: String,
    #[serde(default)]
    params: Attributes,
}

async fn command(
    grant: Grant,
    State(datasets): State<Tables>,
    content: Bytes,
) -> Result<Response, Denial> {
    let Ok(Command { command, params }) = serde_json::from_slice(&content) else {
        let message = "The body must be a JSON object with command and params.";
        return Ok(error(StatusCode::BAD_REQUEST, "invalid_request", message));
    };
    let data = match command.as_str() {
        "list_datasets" => {
            grant.require(READ)?;
            datasets.of(&grant, |table| table.list(dataset))
        }
        "create_dataset" => {
            grant.require(WRITE)?;
            let id = datasets.of(&grant, |table| table.add(params.clone()));
            dataset(&id, &params)
        }
        _ => {
            let message = "The command is unknown.";
            return Ok(error(StatusCode::BAD_REQUEST, "unknown_command", message));
        }
    };
    Ok(Json(json!({ "data": data })).into_response())
}

fn dataset(id: &str, attributes: &Attributes) -> Value {
    let mut dataset = attributes.clone();
    dataset.insert("id".into(), id.into());
    Value::Object(dataset)
}

fn error(status: StatusCode, code: &str, message: &str) -> Response {
    let body = json!({ "error": { "code": code, "message": message } });
    (status, Json(body)).into_response()
}
