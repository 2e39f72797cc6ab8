//! What a front door says of its profile, for programs that need more than a layer.

use super::front_door::FrontDoor;
use super::profile::NOTHING;
use crate::Profile;

impl FrontDoor {
    /// Returns what a function makes of the profile, for a program that issues keys of its formats, say. The profile
    /// borrows from the file, so it ends with the call.
    ///
    /// ```
    /// use tower_api_key::config::{FileFormat, FrontDoor};
    /// use tower_api_key::key::{Issuer, KeyHasher};
    ///
    /// let door = FrontDoor::parse("gate.toml", "profile.base = \"persona\"", FileFormat::Toml)?;
    /// let issuer = door.with_profile(|profile| Issuer::new(profile.formats[0], KeyHasher::sha256()));
    /// assert!(issuer.issue(Some("sandbox"))?.expose().starts_with("persona_sandbox_"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_profile<R>(&self, look: impl Fn(&Profile<'_>) -> R) -> R {
        // The file was checked, so it describes a profile.
        self.tables.with_profile(|profile| Ok(look(&profile))).unwrap_or_else(|_| look(&NOTHING))
    }
}
