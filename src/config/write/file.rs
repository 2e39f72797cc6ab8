//! A profile, written as a file.

use super::layout::layout;
use super::unwritable::UnwritableProfile;
use crate::Profile;
use crate::config::profile::ProfileTable;
use crate::config::tables::FrontDoorTable;

/// Writes a profile as a file in TOML, in full: it needs no `base`. With quotas it has a limiter in memory.
///
/// ```
/// use tower_api_key::config::{FileFormat, FrontDoor, profile_to_toml};
/// use tower_api_key::vendors;
///
/// let file = profile_to_toml(&vendors::PERSONYZE)?;
/// assert!(file.contains("formats = [{ hex = 40 }]"));
/// FrontDoor::parse("personyze.toml", &file, FileFormat::Toml)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`UnwritableProfile`] if an answer has [`ErrorBody::Custom`](crate::profile::ErrorBody::Custom) or
/// [`Answer::headers_from`](crate::profile::Answer::headers_from).
pub fn profile_to_toml(profile: &Profile<'_>) -> Result<String, UnwritableProfile> {
    let table = FrontDoorTable { profile: ProfileTable::of(profile)?, ..FrontDoorTable::default() };
    Ok(layout(&table, !profile.quotas.is_empty()))
}
