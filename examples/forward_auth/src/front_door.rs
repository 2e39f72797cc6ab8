//! The gate that the program asks: the front door of a file, which follows the file's changes.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use tower_api_key::config::{FrontDoor, SectionMistake};
use tower_api_key::request::OriginalRequest;
use tower_api_key_front_door::{LiveFrontDoor, OpenError};

use crate::checker::Checker;
use crate::settings::Settings;

/// The name of the program's own table.
pub const TABLE: &str = "forward_auth";

/// Opens the front door of a file with the table `[forward_auth]`, and the checker that asks its gate. A file with a rule
/// that forward auth cannot keep is refused, also when it is reloaded.
///
/// # Errors
///
/// [`OpenError`] with all mistakes of the file, or the rule, or the store or limiter that does not open.
pub async fn open(file: &Path) -> Result<(LiveFrontDoor<Settings>, Checker), OpenError> {
    let first: Arc<OnceLock<Settings>> = Arc::default();
    let started = Arc::clone(&first);
    let check = move |settings: &Settings| -> Result<(), SectionMistake> {
        settings.check(first.get().unwrap_or(settings))?;
        first.get_or_init(|| settings.clone());
        Ok(())
    };
    let door = LiveFrontDoor::builder(file, TABLE).check(check).check_file(unserved);
    let door = door.finish(move |builder| {
        // The table was checked before. Without it, no gate builds.
        let original = started.get().map(Settings::original_request);
        builder.forward_auth(original.unwrap_or_else(|| OriginalRequest::below("")))
    });
    let door = door.open().await?;
    let checker = Checker::of(door.layer(), &door.settings());
    Ok((door, checker))
}

/// Finds the tables of the file that this program does not serve, whatever its build could.
fn unserved(door: &FrontDoor, _: &Settings) -> Vec<SectionMistake> {
    let tables = [
        ("management", door.management().is_some()),
        ("events", door.events().is_some()),
        ("webhooks", !door.webhooks().is_empty()),
    ];
    let stated = tables.into_iter().filter(|(_, is_stated)| *is_stated);
    let problem = "this program only answers a proxy's questions, and does not serve this table: remove it, and serve it by \
        another program with a file of its own, as the gateway";
    stated.map(|(table, _)| SectionMistake::new(table, problem)).collect()
}
