//! A profile and its routes, written as a file.

use super::layout::layout;
use super::unwritable::UnwritableProfile;
use crate::config::gate::RouteRowTable;
use crate::config::profile::ProfileTable;
use crate::config::tables::FrontDoorTable;
use crate::profile::Profile;
use crate::rules::RouteRow;

/// Writes a profile and its routes as a file in TOML, in full: it needs no `base`. If there are quotas, the file has a
/// limiter in memory.
///
/// ```
/// use tower_api_key::config::{FileFormat, FrontDoor, to_toml};
/// use tower_api_key::vendors;
///
/// let file = to_toml(&vendors::PERSONYZE, vendors::personyze::ROUTES)?;
/// assert!(file.contains("formats = [{ hex = 40 }]"));
/// FrontDoor::parse("personyze.toml", &file, FileFormat::Toml)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`UnwritableProfile`] if an answer has [`ErrorBody::Custom`](crate::profile::ErrorBody::Custom) or
/// [`Answer::headers_from`](crate::profile::Answer::headers_from).
pub fn to_toml(
    profile: &Profile<'_>,
    routes: &[RouteRow<'_>],
) -> Result<String, UnwritableProfile> {
    let table = FrontDoorTable {
        profile: ProfileTable::of(profile)?,
        routes: (!routes.is_empty()).then(|| routes.iter().map(RouteRowTable::of).collect()),
        ..FrontDoorTable::default()
    };
    let counts = |row: &RouteRow<'_>| {
        !(row.route.quotas.is_empty() && row.route.anonymous_quotas.is_empty())
    };
    Ok(layout(&table, !profile.quotas.is_empty() || routes.iter().any(counts)))
}
