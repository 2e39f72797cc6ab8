//! Polytomic: a partner's organizations and users, keys issued at run time, and bulk syncs.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use tower_api_key::request::TrustedProxies;
use tower_api_key::store::MemoryStore;
use tower_api_key::vendors::polytomic::{DEPLOYMENT, ORGANIZATION, PARTNER, ROUTES};
use tower_api_key::{Denial, Grant, vendors};

use crate::Failure;
use crate::app::{complaining, gate, unknown};
use crate::keys::{Keys, account};
use crate::organizations::{self, ORGANIZATIONS};
use crate::user_keys::UserKeys;

pub(crate) const VENDOR: &str = "polytomic";

/// Builds the routes of `/api` that are not another vendor's, behind their gate.
pub(crate) fn router(
    keys: &mut Keys,
    proxies: &TrustedProxies,
    on_premises: bool,
) -> Result<Router, Failure> {
    let store = MemoryStore::new();
    let [format, ..] = vendors::POLYTOMIC.formats else {
        return Err("the profile has no key format".into());
    };
    let [acme, ..] = ORGANIZATIONS else {
        return Err("there is no organization".into());
    };
    let mut keys = keys.of(VENDOR, format, &store);
    let partner = account("partner_umbrella", &[])?;
    keys.add("partner", &partner, None, |key| key.kind(PARTNER))?;
    keys.add("organization", &account(acme.id, &[])?, None, |key| key.kind(ORGANIZATION))?;
    keys.add("deployment", &account("deployment", &[])?, None, |key| key.kind(DEPLOYMENT))?;
    keys.unlisted(None)?;

    let profile = if on_premises { vendors::POLYTOMIC_ON_PREMISES } else { vendors::POLYTOMIC };
    let gate = gate(&profile, ROUTES, &store, proxies)?;
    let router = Router::new()
        .route("/api/me", get(me))
        .route("/api/organizations", get(list_organizations))
        .route("/api/organizations/{org}/users", get(list_users))
        .route("/api/organizations/{org}/users/{user}/keys", post(create_key))
        .route("/api/bulk/syncs", get(list_syncs));
    let router = unknown(
        router,
        &["/api/", "/api/{*unknown}"],
        &any(|| async { error(StatusCode::NOT_FOUND, "not_found", "Not found") }),
    );
    let complain = |status, message| error(status, "bad_request", message);
    let router = complaining(router, complain).layer(gate).with_state(UserKeys::new(format, store));
    Ok(router)
}

/// Tells whose key it is.
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

#[derive(Debug, Deserialize)]
struct CreateKey {
    #[serde(default)]
    force: bool,
}

async fn create_key(
    grant: Grant,
    State(keys): State<UserKeys>,
    Path((organization, user)): Path<(String, String)>,
    query: Result<Query<CreateKey>, QueryRejection>,
) -> Result<Response, Denial> {
    let organization = organizations::organization(&grant, &organization)?;
    let user = organizations::user(organization, &user)?;
    let Ok(Query(CreateKey { force })) = query else {
        let message = "force must be true or false";
        return Ok(error(StatusCode::BAD_REQUEST, "bad_request", message));
    };
    let issued = keys.issue(organization, user, force);
    let value = issued.map_err(|_| Denial::InternalError)?;
    Ok(Json(json!({ "data": { "value": value } })).into_response())
}

/// Lists the syncs of the key's organization; a deployment has those of all.
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
