//! Persona: inquiries, accounts and reports of an organization, with permissions for each key.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use serde_json::{Value, json};
use tower_api_key::rules::RouteRow;
use tower_api_key::shaping::{OnUnshaped, ShapingLayer};
use tower_api_key::store::{KeyEntry, KeyFilter};
use tower_api_key::vendors::persona::{DEFAULT_PERMISSIONS, ISSUED, ROUTES};
use tower_api_key::{ApiKeyLayer, Denial, Grant, vendors};

use crate::app::{complaining, unknown};
use crate::data::{Attributes, Table, Tables, object};
use crate::database::{Database, VendorStore};
use crate::gates::Gates;
use crate::keys::{Keys, account};
use crate::{Failure, openapi};

pub(crate) const VENDOR: &str = "persona";

const PRODUCTION: Option<&str> = Some("production");

/// The entries of a key's metadata that say how its responses are written.
const INFLECTION: &str = "key_inflection";
const BLOCKLIST: &str = "attribute_blocklist";

/// The largest response that is shaped, in bytes. A larger one is refused.
const LARGEST_ANSWER: usize = 4 * 1024 * 1024;

const RATE_LIMITS: &str = "/api/v1/rate-limits";

/// What the service itself does.
const DOCUMENT: &str = include_str!("../openapi/persona.json");

/// Builds the routes of `/api/v1`, behind their gate.
pub(crate) async fn router(
    keys: &mut Keys,
    database: &Database,
    gates: &Gates,
) -> Result<Router, Failure> {
    let store = database.of(VENDOR);
    let mut keys = keys.of(VENDOR, &ISSUED, &store);
    let organization = |name: &str| account(name, DEFAULT_PERMISSIONS);
    let acme = organization("org_acme")?;
    keys.add("production", &organization("org_globex")?, PRODUCTION, |key| key).await?;
    keys.add("sandbox", &organization("org_initech")?, Some("sandbox"), |key| key).await?;
    keys.add("inquiry_reader", &acme, PRODUCTION, |key| {
        key.scopes(["inquiry.read"])
            .metadata(INFLECTION, "camel")
            .metadata(BLOCKLIST, "data.attributes.fields.birthdate,social-security-number")
    })
    .await?;
    keys.add("key_admin", &acme, PRODUCTION, |key| {
        key.scopes(DEFAULT_PERMISSIONS.iter().copied().chain(["api_key.read"]))
    })
    .await?;
    keys.add("office", &organization("org_hooli")?, PRODUCTION, |key| {
        key.networks(["10.1.2.0/24"])
    })
    .await?;
    keys.add("local", &organization("org_umbrella")?, PRODUCTION, |key| {
        key.networks(["127.0.0.0/8", "::1/128"])
    })
    .await?;
    keys.unlisted(PRODUCTION)?;

    let routes: Vec<RouteRow> = ROUTES.iter().cloned().map(without_cost).collect();
    let gate = gates.of(&vendors::PERSONA, &routes, &store)?;
    let document = document(&gate)?;
    let shaping = ShapingLayer::builder(LARGEST_ANSWER, OnUnshaped::Refuse)
        .inflection_metadata(INFLECTION)
        .blocklist_metadata(BLOCKLIST)
        .inflection_header("Key-Inflection")
        .build()?;
    let router = Router::new()
        .merge(objects("inquiry", "/api/v1/inquiries", inquiries))
        .merge(objects("account", "/api/v1/accounts", accounts))
        .merge(objects("report", "/api/v1/reports", reports))
        .route("/api/v1/api-keys", get(api_keys).with_state(store.clone()))
        .route(RATE_LIMITS, get(rate_limits));
    let router = unknown(router, &["/api/v1", "/api/v1/", "/api/v1/{*unknown}"], &any(not_found));
    let complain = |status, details| error(status, "Bad request", details);
    // The gate is called first, so the shaping learns from its grant what the key's record says.
    let router = complaining(router, complain).layer(shaping).layer(gate);
    Ok(openapi::serve(router, VENDOR, &document))
}

/// Returns the document of gate and service. The list of keys fails with the store.
fn document(gate: &ApiKeyLayer) -> Result<Value, Failure> {
    let described = gate.openapi();
    let described =
        described.handler_refusal(Method::GET, "/api/v1/api-keys", Denial::InternalError);
    Ok(described.merged(&openapi::read(DOCUMENT)?)?)
}

/// Sets the cost of the rate-limit route to 0, so that reading the limit does not charge it.
fn without_cost(row: RouteRow) -> RouteRow {
    match row.path {
        RATE_LIMITS => RouteRow { route: row.route.cost(0), ..row },
        _ => row,
    }
}

/// The objects of one type.
#[derive(Clone)]
struct Objects {
    kind: &'static str,
    tables: Tables,
}

/// Builds the routes of one type. The gate's route table decides which of them are reachable.
fn objects(kind: &'static str, path: &str, sample: fn(&str) -> Table) -> Router {
    Router::new()
        .route(path, get(list).post(create))
        .route(&format!("{path}/{{id}}"), get(find))
        .with_state(Objects { kind, tables: Tables::new(sample) })
}

fn inquiries(organization: &str) -> Table {
    let inquiry = |name: &str, status: &str| {
        json!({
            "status": status,
            "reference-id": format!("{organization}-{name}"),
            "fields": { "name-first": name, "birthdate": "1985-12-10" },
            "social-security-number": "000-00-0000",
        })
    };
    let rows = [inquiry("ada", "completed"), inquiry("grace", "pending")];
    Table::new(format!("inq_{organization}_"), rows)
}

fn accounts(organization: &str) -> Table {
    let row = json!({ "reference-id": format!("{organization}-ada") });
    Table::new(format!("act_{organization}_"), [row])
}

fn reports(organization: &str) -> Table {
    let row = json!({ "status": "ready", "report-template": "watchlist" });
    Table::new(format!("rep_{organization}_"), [row])
}

async fn list(grant: Grant, State(Objects { kind, tables }): State<Objects>) -> Response {
    let data =
        tables.of(&grant, |table| table.list(|id, attributes| object_of(kind, id, attributes)));
    write(data)
}

async fn find(
    grant: Grant,
    State(Objects { kind, tables }): State<Objects>,
    Path(id): Path<String>,
) -> Response {
    match tables.of(&grant, |table| table.get(&id)) {
        Some(attributes) => write(object_of(kind, &id, &attributes)),
        None => not_found().await,
    }
}

/// Creates an object from `data.attributes`, or else from the whole body.
async fn create(
    grant: Grant,
    State(Objects { kind, tables }): State<Objects>,
    content: Bytes,
) -> Response {
    let Some(body) = object(&content) else {
        return bad_request("The request body must be a JSON object.");
    };
    let inner = body.get("data").and_then(|data| data.get("attributes"));
    let attributes = match inner {
        Some(Value::Object(attributes)) => attributes.clone(),
        _ => body,
    };
    let id = tables.of(&grant, |table| table.add(attributes.clone()));
    write(object_of(kind, &id, &attributes))
}

/// Lists the organization's keys without their secrets, which the store does not have.
async fn api_keys(grant: Grant, State(store): State<VendorStore>) -> Result<Response, Denial> {
    let filter = KeyFilter::account(grant.account().as_str());
    let listed = store.manager().list(&filter, None, usize::MAX).await;
    let listed = listed.map_err(|_| Denial::InternalError)?;
    let keys = listed.iter().map(|KeyEntry { record, .. }| {
        let mut attributes = Attributes::new();
        attributes.insert("name".into(), record.name().into());
        let permissions: Vec<&str> = record.scopes().iter().collect();
        attributes.insert("permissions".into(), json!(permissions));
        object_of("api-key", record.id().as_str(), &attributes)
    });
    Ok(write(keys.collect()))
}

/// Returns the organization's rate limits. Persona's public documentation shows no body, so this one is
/// modelled on Persona's other objects.
async fn rate_limits(grant: Grant) -> Response {
    let quota_statuses = grant.limits().map(|(quota, quota_status)| {
        let reset_after = quota_status.reset_after();
        json!({
            "type": "rate-limit",
            "id": quota.name(),
            "attributes": {
                "limit": quota_status.limit(),
                "remaining": quota_status.remaining(),
                "reset-seconds": reset_after.as_secs() + u64::from(reset_after.subsec_nanos() > 0),
            },
        })
    });
    write(quota_statuses.collect())
}

/// Answers with data.
fn write(data: Value) -> Response {
    Json(Value::from_iter([("data", data)])).into_response()
}

fn object_of(kind: &str, id: &str, attributes: &Attributes) -> Value {
    json!({ "type": kind, "id": id, "attributes": attributes })
}

async fn not_found() -> Response {
    error(StatusCode::NOT_FOUND, "Record not found", "No object has this id.")
}

fn bad_request(details: &str) -> Response {
    error(StatusCode::BAD_REQUEST, "Bad request", details)
}

fn error(status: StatusCode, title: &str, details: &str) -> Response {
    let body = json!({ "errors": [{ "title": title, "details": details }] });
    (status, Json(body)).into_response()
}
