//! What is checked of settings before anything is served by them.

use tower_api_key::config::{FrontDoor, SectionMistake};
use tower_api_key_front_door::ManagementDoor;

use crate::Problem;
use crate::forward::Routing;
use crate::gateway::pairs;
use crate::settings::{GatewaySettings, RouteSettings};

/// Checks settings without serving by them: names, addresses, and the files of TLS.
///
/// # Errors
///
/// [`Problem`] with the field that is wrong.
pub fn check(settings: &GatewaySettings) -> Result<(), Problem> {
    if settings.listeners.is_empty() {
        return Err(Problem::new("listeners", "name at least one address"));
    }
    pairs(&settings.listeners)?;
    Routing::new(settings, None).map(drop)
}

/// Checks a file as a whole, before anything of it is opened: no route lies where its management is served.
pub(crate) fn check_file(door: &FrontDoor, settings: &GatewaySettings) -> Vec<SectionMistake> {
    let Some(management) = door.management() else { return Vec::new() };
    let takes = |host: &str, path: &str| management.takes(host, path);
    let problems = unreachable(&settings.routes, management.host.is_some(), takes);
    problems.into_iter().map(Problem::in_file).collect()
}

/// Checks settings beside the management that is served with them: no route lies where it is served.
///
/// # Errors
///
/// [`Problem`] with the route that no request would reach.
pub(crate) fn check_management(
    settings: &GatewaySettings,
    management: Option<&ManagementDoor>,
) -> Result<(), Problem> {
    let Some(management) = management else { return Ok(()) };
    let takes = |host: &str, path: &str| management.takes(host, path);
    let problems = unreachable(&settings.routes, management.host().is_some(), takes);
    problems.into_iter().next().map_or(Ok(()), Err)
}

/// Returns a problem for each route whose requests management takes.
fn unreachable(
    routes: &[RouteSettings],
    has_host: bool,
    takes: impl Fn(&str, &str) -> bool,
) -> Vec<Problem> {
    let field = if has_host { "host" } else { "path" };
    let taken = routes.iter().enumerate().filter(|(_, route)| {
        // Without a host, a route also serves those that are not management's.
        takes(route.host.as_deref().unwrap_or_default(), route.path.trim_end_matches('/'))
    });
    let problem = "no request would reach this route, because `[management]` is served there: write another one, or move \
        management";
    taken.map(|(at, _)| Problem::new(field, problem).within(&format!("routes[{at}]"))).collect()
}
