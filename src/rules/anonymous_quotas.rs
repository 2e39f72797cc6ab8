//! Mistakes in the quotas of anonymous requests at a route.

use super::needs::RouteNeeds;
use crate::error::{ConfigError, InvalidRoute};
use crate::quota::network_problem;

/// Refuses quotas of anonymous requests that cannot count by network, or at a route that needs a key.
///
/// # Errors
///
/// [`ConfigError::Route`] for a quota that is not valid; [`ConfigError::AnonymousQuotas`].
pub(super) fn check_anonymous_quotas(
    needs: &RouteNeeds,
    pattern: impl Fn() -> String,
) -> Result<(), ConfigError> {
    let quotas = needs.anonymous_quotas.as_slice();
    if quotas.is_empty() {
        return Ok(());
    }
    if let Err(invalid) = needs.anonymous_quotas.check() {
        return Err(ConfigError::Route(InvalidRoute::Need {
            pattern: pattern(),
            field: "anonymous_quotas",
            value: invalid.name().to_owned(),
            problem: invalid.problem().to_owned(),
        }));
    }
    let problem = if !needs.needs_no_key() {
        Some("a request without a key never reaches the route: remove them, or what needs a key")
    } else if needs.metered {
        Some("the route is `metered`, which needs a key's grant: remove one of the two")
    } else {
        None
    };
    match problem.map(str::to_owned).or_else(|| network_problem(quotas)) {
        None => Ok(()),
        Some(problem) => {
            let place = format!("route pattern `{}`", pattern());
            Err(ConfigError::AnonymousQuotas { place, problem })
        }
    }
}
