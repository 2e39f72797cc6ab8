//! The console, in which the staff of the demo manages the keys of all vendors.

use axum::Router;
use tower_api_key_admin::console::Console;

use crate::Failure;
use crate::database::Database;
use crate::gates::Gates;
use crate::manage::management;
use crate::telemetry::observed;

/// The path of the console.
pub(crate) const PATH: &str = "/console";

/// Builds the pages below [`PATH`], with gates of their own. The administrator's key of the management API signs in.
pub(crate) fn router(database: &Database, gates: &Gates) -> Result<Router, Failure> {
    let proxies = gates.proxies.clone();
    let console = Console::builder(management(database, gates)?)
        .path(PATH)
        .title("Vendors demo")
        .environments(["production", "sandbox"])
        .gate(move |gate| observed(gate.trusted_proxies(proxies.clone())))
        .build()?;
    Ok(console.router())
}
