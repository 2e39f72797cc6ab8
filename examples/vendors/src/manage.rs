//! The management API at `/manage`, for the staff of the demo. It issues keys of Persona.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tower_api_key::Profile;
use tower_api_key::key::{Issuer, KeyFormat, KeyHasher, KeyKind};
use tower_api_key::policy::{KeyPolicy, PolicySubject};
use tower_api_key::rules::{Otherwise, Route, Routes};
use tower_api_key::store::{Command, CommandOptions, ManageError, Precondition};
use tower_api_key::telemetry::FailureLog;
use tower_api_key::vendors::persona::{DEFAULT_PERMISSIONS, ISSUED, KEY_PERMISSIONS};
use tower_api_key_admin::ManagementApi;
use tower_api_key_admin::management::{Management, scopes};

use crate::Failure;
use crate::database::Database;
use crate::gates::{Gates, Limits};
use crate::keys::{Keys, account};

pub(crate) const VENDOR: &str = "manage";

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The account whose keys reach every account.
const STAFF: &str = "staff";

/// Returns the operations of the API and the console.
pub(crate) fn management(database: &Database, gates: &Gates) -> Result<Management, Failure> {
    let permissions = DEFAULT_PERMISSIONS.iter().chain(KEY_PERMISSIONS).copied();
    let hasher = KeyHasher::sha256();
    let issuer = Issuer::new(ISSUED, hasher.clone()).keep_tails();
    let management = Management::builder(database.of(VENDOR).manager(), issuer, hasher)
        .operators([STAFF])
        .observer(FailureLog::new())
        .catalogue(permissions.map(|name| (name, name.replace(['.', '_'], " "))));
    let management = management.plans(gates.plans.clone());
    let management = match gates.limits {
        // Each vendor has counters of its own in Redis.
        Limits::Redis { .. } => management,
        Limits::Memory => management.limiter(Arc::clone(&gates.memory), []),
    };
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

    add_policy(database).await?;

    // Each operation of the API checks the scopes that it needs.
    let routes = Routes::new().otherwise(Otherwise::Need(Route::new()));
    let gate = gates.builder(&Profile::STANDARD, &[], &store)?.routes(routes).build()?;
    let api = ManagementApi::new(management(database, gates)?);
    let document = gate.openapi().merged(&api.document("/manage"))?;
    Ok(Router::new().nest("/manage", api.serving_document(&document).router()).layer(gate))
}

/// Adds a policy for personal keys, unless there is one: they live for 90 days, and an account has five at most. No key
/// of the demo is one, so nothing changes until somebody creates one.
async fn add_policy(database: &Database) -> Result<(), Failure> {
    let personal = PolicySubject::Kind(KeyKind::new("personal")?);
    let policy = KeyPolicy::builder(personal).longest_life(90 * DAY).most_keys(5).build()?;
    let options = CommandOptions::by("demo").when(Precondition::Absent);
    match database.of(VENDOR).manager().apply(Command::SavePolicy(policy), options).await {
        Ok(_) | Err(ManageError::PreconditionFailed) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
