//! The table of routes, as it stands in a file.

use std::mem::take;

use super::method::methods;
use super::otherwise::OtherwiseTable;
use super::route::RouteRowTable;
use crate::config::profile::BaseName;
use crate::config::read::{Contradiction, MAX_MISTAKES, Path};
use crate::error::ConfigError;
use crate::rules::{Otherwise, Route, RouteRow, RouteTable, Routes};

/// Returns the mistakes of each route by itself. The builder returns only the first one of a table.
pub(in crate::config) fn mistakes(rows: &[RouteRowTable]) -> Vec<ConfigError> {
    let mistake = |row: &RouteRowTable| {
        let mut mistake = None;
        let add = |route: Route<'_>| {
            let routes = Routes::new().on(&methods(&row.methods), row.path.as_str(), route);
            mistake = RouteTable::new(routes).err();
        };
        row.needs().with_route(&Path::default(), add).ok()?;
        mistake
    };
    // The others are found when these are left out.
    rows.iter().filter_map(mistake).take(MAX_MISTAKES).collect()
}

/// Describes the routes of a file: those of a shipped profile, its own, and `otherwise`. Without any of them there is
/// no table, and a valid key may do anything.
pub(super) fn describe(
    of: Option<BaseName>,
    rows: Option<&[RouteRowTable]>,
    otherwise: Option<&OtherwiseTable>,
    found: &mut Vec<Contradiction>,
) -> Option<Routes> {
    if of.is_none() && rows.is_none() && otherwise.is_none() {
        return None;
    }
    let shipped: &[RouteRow<'_>] = of.map_or(&[], BaseName::routes);
    let mut routes = Routes::new().rows(shipped);
    let path = Path::default().field("routes");
    for (index, row) in rows.unwrap_or_default().iter().enumerate() {
        let add = |route: Route<'_>| {
            routes = take(&mut routes).on(&methods(&row.methods), row.path.as_str(), route);
        };
        found.extend(row.needs().with_route(&path.item(index), add).err());
    }
    if let Some(OtherwiseTable::Need(needs)) = otherwise {
        let path = Path::default().field("otherwise").field("need");
        let add = |route: Route<'_>| {
            routes = take(&mut routes).otherwise(Otherwise::Need(route));
        };
        found.extend(needs.with_route(&path, add).err());
    }
    Some(routes)
}
