//! The management of a front door while it serves.

use std::sync::PoisonError;

use tower_api_key::ApiKeyLayer;
use tower_api_key::config::FrontDoor;

use crate::door::LiveFrontDoor;
use crate::error::OpenError;
use crate::management::ManagementDoor;
use crate::opened::Opened;

impl<T: Send + Sync + 'static> LiveFrontDoor<T> {
    /// Returns what serves the table `[management]` of the file that was last taken over. `None` without that table. A
    /// program that does not serve it should refuse such a file.
    pub fn management(&self) -> Option<ManagementDoor> {
        self.shared.management.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps the management that serves if the next file says the same of all that its gates need. Builds another one
    /// otherwise, with the sessions of the console if the table `[management]` is the same.
    pub(crate) fn management_after(
        &self,
        before: &FrontDoor,
        (door, opened): (&FrontDoor, &Opened),
        layer: &ApiKeyLayer,
        file: &str,
    ) -> Result<Option<ManagementDoor>, OpenError> {
        if before.has_management_of(door) {
            return Ok(self.management());
        }
        let same = before.management() == door.management();
        let serving = self.management().filter(|_| same);
        ManagementDoor::of((door, opened), layer, &self.shared.finish, serving.as_ref(), file)
    }
}
