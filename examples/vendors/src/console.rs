//! The console, in which people manage the keys of all vendors.

use axum::Router;
use tower_api_key::key::{Issuer, KeyFormat, KeyHasher};
use tower_api_key::vendors::persona::{DEFAULT_PERMISSIONS, ISSUED, KEY_PERMISSIONS};
use tower_api_key_admin::console::Console;
use tower_api_key_admin::management::{Management, scopes};

use crate::Failure;
use crate::database::Database;
use crate::gates::Gates;
use crate::keys::{Keys, account};

pub(crate) const VENDOR: &str = "console";

/// The path of the console.
pub(crate) const PATH: &str = "/console";

/// The account whose keys may sign in.
const STAFF: &str = "staff";

const FORMAT: KeyFormat = KeyFormat::prefixed("console", &["live"]);

/// Builds the pages below [`PATH`], with gates of their own. Keys that people create there are Persona's.
pub(crate) async fn router(
    keys: &mut Keys,
    database: &Database,
    gates: &Gates,
) -> Result<Router, Failure> {
    let store = database.of(VENDOR);
    let mut keys = keys.of(VENDOR, &FORMAT, &store);
    keys.add("admin", &account(STAFF, &scopes::ALL)?, Some("live"), |key| key).await?;

    let hasher = KeyHasher::sha256();
    let issuer = Issuer::new(ISSUED, hasher.clone());
    let permissions = DEFAULT_PERMISSIONS.iter().chain(KEY_PERMISSIONS);
    let management = Management::builder(store.manager(), issuer, hasher)
        .operators([STAFF])
        .catalogue(permissions.map(|scope| (*scope, "")))
        .build()?;
    let proxies = gates.proxies.clone();
    let console = Console::builder(management)
        .path(PATH)
        .title("Vendors demo")
        .formats([FORMAT])
        .environments(["production", "sandbox"])
        .gate(move |gate| gate.trusted_proxies(proxies.clone()))
        .build()?;
    Ok(console.router())
}
