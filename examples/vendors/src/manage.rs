//! The management API at `/manage`, for the staff of the demo. It issues keys of Persona.

use axum::Router;
use tower_api_key::Profile;
use tower_api_key::key::{Issuer, KeyFormat, KeyHasher};
use tower_api_key::rules::{Otherwise, Route, Routes};
use tower_api_key::vendors::persona::{DEFAULT_PERMISSIONS, ISSUED, KEY_PERMISSIONS};
use tower_api_key_admin::ManagementApi;
use tower_api_key_admin::management::{Management, scopes};

use crate::Failure;
use crate::database::Database;
use crate::gates::Gates;
use crate::keys::{Keys, account};

pub(crate) const VENDOR: &str = "manage";

/// The account whose keys reach every account.
const STAFF: &str = "staff";

/// Returns the operations of the API and the console.
pub(crate) fn management(database: &Database) -> Result<Management, Failure> {
    let permissions = DEFAULT_PERMISSIONS.iter().chain(KEY_PERMISSIONS).copied();
    let hasher = KeyHasher::sha256();
    let issuer = Issuer::new(ISSUED, hasher.clone());
    let management = Management::builder(database.of(VENDOR).manager(), issuer, hasher)
        .operators([STAFF])
        .catalogue(permissions.map(|name| (name, name.replace(['.', '_'], " "))));
    let management = match database.usage() {
        Some(usage) => management.usage(usage.reader.clone()),
        None => management,
    };
    Ok(management.build()?)
}

/// Builds the routes of `/manage`, behind their gate, and issues the key of an administrator.
pub(crate) async fn router(
    keys: &mut Keys,
    database: &Database,
    gates: &Gates,
) -> Result<Router, Failure> {
    let store = database.of(VENDOR);
    let permissions = DEFAULT_PERMISSIONS.iter().chain(KEY_PERMISSIONS).copied();
    let mut keys = keys.of(VENDOR, &KeyFormat::STANDARD, &store);
    let all = scopes::ALL.into_iter().chain(permissions);
    keys.add("admin", &account(STAFF, &[])?, Some("live"), |key| key.scopes(all)).await?;

    // Each operation of the API checks the scopes that it needs.
    let routes = Routes::new().otherwise(Otherwise::Need(Route::new()));
    let gate = gates.builder(&Profile::STANDARD, &[], &store)?.routes(routes).build()?;
    let api = ManagementApi::new(management(database)?);
    let document = gate.openapi().merged(&api.document("/manage"))?;
    Ok(Router::new().nest("/manage", api.serving_document(&document).router()).layer(gate))
}
