//! Polytomic: a partner's organizations and users, keys issued at run time, and bulk syncs.

use std::sync::Arc;

use axum::extract::Path;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use serde_json::{Value, json};
use tower_api_key::key::{AccountId, Issuer, KeyHasher};
use tower_api_key::telemetry::FailureLog;
use tower_api_key::vendors::polytomic::{DEPLOYMENT, ISSUED, ORGANIZATION, PARTNER, ROUTES};
use tower_api_key::{ApiKeyLayer, Denial, Grant, Reply, vendors};
use tower_api_key_admin::{User, UserKeys, Users};

use crate::app::{complaining, unknown};
use crate::database::Database;
use crate::gates::Gates;
use crate::keys::{Keys, account};
use crate::organizations::{self, ORGANIZATIONS};
use crate::{Failure, openapi};

pub(crate) const VENDOR: &str = "polytomic";

/// What the service itself does.
const DOCUMENT: &str = include_str!("../openapi/polytomic.json");

/// Builds the routes of `/api` that no other vendor has, behind their gate.
pub(crate) async fn router(
    keys: &mut Keys,
    database: &Database,
    gates: &Gates,
    on_premises: bool,
) -> Result<Router, Failure> {
    let store = database.of(VENDOR);
    let [acme, ..] = ORGANIZATIONS else {
        return Err("the demo has no organization".into());
    };
    let mut keys = keys.of(VENDOR, &ISSUED, &store);
    let partner = account("partner_umbrella", &[])?;
    keys.add("partner", &partner, None, |key| key.kind(PARTNER)).await?;
    keys.add("organization", &account(acme.id, &[])?, None, |key| key.kind(ORGANIZATION)).await?;
    keys.add("deployment", &account("deployment", &[])?, None, |key| key.kind(DEPLOYMENT)).await?;
    keys.unlisted(None)?;

    let profile = if on_premises { vendors::POLYTOMIC_ON_PREMISES } else { vendors::POLYTOMIC };
    let gate = gates.of(&profile, ROUTES, &store)?;
    let document = document(&gate)?;
    let issuer = Issuer::new(ISSUED, KeyHasher::sha256()).keep_tails();
    let user_keys = UserKeys::new(issuer, store.manager(), Arc::new(Directory));
    let user_keys = user_keys.of_kind(ORGANIZATION).observer(FailureLog::new());
    let router = Router::new()
        .route("/api/me", get(me))
        .route("/api/organizations", get(list_organizations))
        .route("/api/organizations/{org}/users", get(list_users))
        .route("/api/bulk/syncs", get(list_syncs))
        .merge(user_keys.router());
    let router = unknown(
        router,
        &["/api/", "/api/{*unknown}"],
        &any(|| async { error(StatusCode::NOT_FOUND, "not_found", "Not found") }),
    );
    let complain = |status, message| error(status, "bad_request", message);
    let router = complaining(router, complain).layer(gate);
    Ok(openapi::serve(router, VENDOR, &document))
}

/// Returns the document of gate and service. The handlers of organizations refuse those of others.
fn document(gate: &ApiKeyLayer) -> Result<Value, Failure> {
    let users = "/api/organizations/{org_id}/users";
    let keys = "/api/organizations/{org_id}/users/{id}/keys";
    let described = gate
        .openapi()
        .handler_refusal(Method::GET, users, Denial::AccountMismatch)
        .handler_refusal(Method::POST, keys, Denial::AccountMismatch)
        .handler_refusal(Method::POST, keys, Denial::InternalError);
    Ok(described.merged(&openapi::read(DOCUMENT)?)?)
}

/// Returns the caller's key.
async fn me(grant: Grant) -> Json<Value> {
    let kind = grant.kind().map(ToString::to_string);
    let organization = (kind.as_deref() == Some(ORGANIZATION)).then(|| grant.account().to_string());
    Json(json!({ "data": {
        "id": grant.key_id().as_str(),
        "name": grant.record().name(),
        "kind": kind,
        "account": grant.account().as_str(),
        "organization_id": organization,
    }}))
}

async fn list_organizations(grant: Grant) -> Json<Value> {
    let managed = organizations::managed(&grant);
    let items = managed.map(|organization| item(organization.id, organization.name));
    Json(json!({ "data": items.collect::<Value>() }))
}

async fn list_users(grant: Grant, Path(id): Path<String>) -> Result<Json<Value>, Denial> {
    let organization = organizations::organization(&grant, &id)?;
    let items = organization.users.iter().map(|user| item(user.id, user.name));
    Ok(Json(json!({ "data": items.collect::<Value>() })))
}

/// Finds the users that a key may issue keys to.
struct Directory;

impl Users for Directory {
    fn find(&self, grant: &Grant, organization: &str, user: &str) -> Reply<Result<User, Denial>> {
        Reply::now(organizations::organization(grant, organization).and_then(|organization| {
            let user = organizations::user(organization, user)?;
            let account = AccountId::new(organization.id).map_err(|_| Denial::InternalError)?;
            Ok(User::new(account, user.id).named(user.name))
        }))
    }
}

/// Lists the syncs of the key's organization, or of all organizations for a deployment key.
async fn list_syncs(grant: Grant) -> Json<Value> {
    let all = grant.kind().is_some_and(|kind| kind == DEPLOYMENT);
    let own =
        ORGANIZATIONS.iter().filter(|organization| all || *grant.account() == organization.id);
    let items = own.map(|organization| {
        let name = format!("Warehouse of {}", organization.name);
        item(&format!("sync-{}", organization.id), &name)
    });
    Json(json!({ "data": items.collect::<Value>() }))
}

fn item(id: &str, name: &str) -> Value {
    json!({ "id": id, "name": name })
}

fn error(status: StatusCode, key: &str, message: &str) -> Response {
    let body = json!({
        "key": key,
        "message": message,
        "metadata": {},
        "status": status.as_u16(),
    });
    (status, Json(body)).into_response()
}
