//! The mistakes of a file that this build knows, and the core does not.

use tower_api_key::config::{FrontDoor, SectionMistake};

use crate::door::LiveFrontDoor;

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
