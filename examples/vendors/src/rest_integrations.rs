//! REST API Integrations: the account's users, with scopes and quotas, as JSON, over gRPC and over a WebSocket.

use std::time::{Duration, SystemTime};

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, put};
use axum::{Json, Router};
use serde_json::{Value, json};
use tower_api_key::quota::{Per, Quota};
use tower_api_key::rules::{Route, RouteRow};
use tower_api_key::vendors::rest_integrations::ISSUED;
use tower_api_key::{Grant, vendors};

use crate::Failure;
use crate::app::{complaining, unknown};
use crate::data::{Attributes, Table, Tables, object};
use crate::database::Database;
use crate::gates::Gates;
use crate::keys::{Keys, account};
use crate::{grpc, live, openapi};

pub(crate) const VENDOR: &str = "rest_integrations";

const BOTH: [&str; 2] = ["users.read", "users.write"];

/// The requests without a key from one client network.
const ANONYMOUS: &[Quota] = &[Quota::new("anonymous", 5, Duration::from_secs(60))];

/// The only route that needs no key.
const STATUS: &[RouteRow] = &[RouteRow {
    methods: &[Method::GET],
    path: "/v1/status",
    route: Route::new().anonymous_quotas(ANONYMOUS),
}];

/// What the service itself does.
const DOCUMENT: &str = include_str!("../openapi/rest_integrations.json");

/// Builds the routes of `/v1` and of gRPC behind their gate, and the WebSocket behind its own.
pub(crate) async fn router(
    keys: &mut Keys,
    database: &Database,
    gates: &Gates,
) -> Result<Router, Failure> {
    let store = database.of(VENDOR);
    let mut keys = keys.of(VENDOR, &ISSUED, &store);
    let acme = account("rest-acme", &BOTH)?;
    keys.add("active", &acme, None, |key| key).await?;
    keys.add("read_only", &acme, None, |key| key.scopes(["users.read"])).await?;
    keys.add("revoked", &account("rest-initech", &BOTH)?, None, |key| key.revoked(true)).await?;
    keys.add("expired", &account("rest-hooli", &BOTH)?, None, |key| {
        key.expires(SystemTime::now() - Duration::from_secs(1))
    })
    .await?;
    keys.add("tight", &account("rest-umbrella", &BOTH)?, None, |key| {
        key.quotas([
            Quota::new("minute", 3, Duration::from_secs(60)).with_per(Per::Key),
            Quota::new("hour", 5, Duration::from_secs(3_600)).with_per(Per::Key),
        ])
    })
    .await?;
    keys.unlisted(None)?;

    let routes = [vendors::rest_integrations::ROUTES, grpc::ROUTES, STATUS].concat();
    let gate = gates.builder(&vendors::REST_INTEGRATIONS, &routes, &store)?;
    let gate = gate.grpc_services([grpc::NAME]).optional().build()?;
    let users = Tables::new(sample);
    let router = Router::new()
        .route("/v1/status", get(status))
        .route("/v1/users", get(list).post(create))
        .route("/v1/users/{id}", put(replace).delete(remove));
    let router = unknown(
        router,
        &["/v1", "/v1/", "/v1/{*unknown}"],
        &any(|| async { error(StatusCode::NOT_FOUND, "Not found.") }),
    );
    let router = router.route_service(grpc::PATH, grpc::service(users.clone()));
    let live_gate = gates.of(&live::PROFILE, live::ROUTES, &store)?;
    let document = gate.openapi().outside(live::PATH).merged(&openapi::read(DOCUMENT)?)?;
    let document = live_gate.openapi().below(live::PATH).name_prefix("live-").merged(&document)?;
    let live = complaining(live::router(), error).layer(live_gate);
    let router = complaining(router, error).layer(gate);
    let router = openapi::serve(router.merge(live), VENDOR, &document);
    Ok(router.with_state(users))
}

/// Answers with a key and without.
async fn status(grant: Option<Grant>) -> Json<Value> {
    let account = grant.map(|grant| grant.account().to_string());
    Json(json!({ "status": "ok", "account": account }))
}

fn sample(account: &str) -> Table {
    let user = |name: &str| json!({ "name": name, "email": format!("{name}@{account}.example") });
    Table::new("", [user("ada"), user("grace")])
}

async fn list(grant: Grant, State(users): State<Tables>) -> Json<Value> {
    let users = users.of(&grant, |table| table.list(user));
    Json(json!({ "users": users }))
}

async fn create(grant: Grant, State(users): State<Tables>, content: Bytes) -> Response {
    let Some(attributes) = object(&content) else {
        return not_an_object();
    };
    let id = users.add(&grant, attributes.clone());
    (StatusCode::CREATED, Json(user(&id, &attributes))).into_response()
}

/// Adds or replaces a user.
async fn replace(
    grant: Grant,
    State(users): State<Tables>,
    Path(id): Path<String>,
    content: Bytes,
) -> Response {
    let Some(attributes) = object(&content) else {
        return not_an_object();
    };
    users.of(&grant, |table| table.put(id, attributes));
    StatusCode::NO_CONTENT.into_response()
}

/// Removes a user. Removing an unknown user succeeds.
async fn remove(grant: Grant, State(users): State<Tables>, Path(id): Path<String>) -> StatusCode {
    users.of(&grant, |table| table.remove(&id));
    StatusCode::NO_CONTENT
}

pub(crate) fn user(id: &str, attributes: &Attributes) -> Value {
    let mut user = attributes.clone();
    user.insert("id".into(), id.into());
    Value::Object(user)
}

fn not_an_object() -> Response {
    error(StatusCode::BAD_REQUEST, "The request body must be a JSON object.")
}

fn error(status: StatusCode, message: &'static str) -> Response {
    (status, Json(json!({ "error": message }))).into_response()
}
