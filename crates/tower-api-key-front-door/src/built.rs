//! Which tables of a file this build runs.

use tower_api_key::config::FrontDoor;

use crate::error::OpenError;

/// Refuses a file with a table that this build does not run: a program that left it out would serve less than its file
/// says.
pub(crate) fn check(door: &FrontDoor, file: &str) -> Result<(), OpenError> {
    let (management, events) = (door.management(), door.events());
    let has_console = management.is_some_and(|management| management.console.is_some());
    let has_log = events.is_some_and(|events| events.log);
    let asked = [
        (management.is_some(), cfg!(feature = "management"), "management", "management"),
        (has_console, cfg!(feature = "console"), "management.console", "console"),
        (events.is_some(), cfg!(feature = "events"), "events", "events"),
        (has_log, cfg!(feature = "tracing"), "events.log", "tracing"),
        (!door.webhooks().is_empty(), cfg!(feature = "webhooks"), "webhooks", "webhooks"),
    ];
    match asked.into_iter().find(|(is_asked, is_built, ..)| *is_asked && !is_built) {
        Some((_, _, field, feature)) => {
            Err(OpenError::NotBuilt { file: file.to_owned(), field, feature })
        }
        None => Ok(()),
    }
}
