//! Which tables of a file this build runs, and what it knows of them.

use tower_api_key::config::{FrontDoor, SectionMistake};

use crate::door::LiveFrontDoor;
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

impl LiveFrontDoor {
    /// Finds the mistakes of a file that the core does not know, and this build does: URLs of a store, a limiter or a
    /// webhook that do not open, and settings that contradict them. It opens nothing, and reads no file that the file names.
    ///
    /// [`open`](Self::open) refuses these mistakes. For [`FrontDoor::read_checked`], in a program that checks a file and
    /// does not serve it.
    ///
    /// ```no_run
    /// use tower_api_key::config::FrontDoor;
    /// use tower_api_key_front_door::LiveFrontDoor;
    ///
    /// let door = FrontDoor::read_checked("gate.toml", LiveFrontDoor::mistakes_of)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn mistakes_of(door: &FrontDoor) -> Vec<SectionMistake> {
        let store = door.store().and_then(crate::store::mistake);
        let limiter = door.limiter().and_then(crate::limiter::mistake);
        #[cfg(feature = "webhooks")]
        let webhooks = tower_api_key_webhooks::Webhook::mistakes_of(door);
        #[cfg(not(feature = "webhooks"))]
        let webhooks = Vec::new();
        store.into_iter().chain(limiter).chain(webhooks).collect()
    }
}
