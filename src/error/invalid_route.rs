//! Mistakes in a route table.

/// A row of a route table that is not valid, or that contradicts another row. Each text names the row's path pattern.
///
/// ```
/// use tower_api_key::rules::{Route, Routes};
/// use tower_api_key::{ApiKeyLayer, ConfigError, InvalidRoute, Profile, store::MemoryStore};
///
/// let twice = Routes::new().get("/v1/users", Route::new()).get("/v1/users", Route::new());
/// let built = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new()).routes(twice).build();
/// let Err(ConfigError::Route(mistake)) = built else { panic!() };
/// assert!(matches!(mistake, InvalidRoute::Repeated { .. }));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRoute {
    /// A path pattern is malformed, conflicts with an earlier one, or is one that axum rejects or that no path can
    /// match.
    #[error("route pattern `{}`: {problem}", .pattern.escape_debug())]
    Pattern {
        /// The pattern as configured.
        pattern: String,
        /// The problem and its remedy.
        problem: String,
    },
    /// A method and path pattern appear twice.
    #[error(
        "route pattern `{}` is listed twice for one method: keep one of the two lines",
        .pattern.escape_debug()
    )]
    Repeated {
        /// The pattern as configured.
        pattern: String,
    },
    /// A route takes its target account from a parameter that its pattern does not have.
    #[error(
        "route pattern `{pattern}` has no parameter `{shown}` to take the account from: \
        write `{{{shown}}}` at the segment that holds the account", shown = .parameter.escape_debug()
    )]
    Parameter {
        /// The pattern as configured.
        pattern: String,
        /// The parameter that the route names.
        parameter: String,
    },
    /// A route lists a scope or a kind that no key can have, or a quota that is not valid.
    #[error("route pattern `{pattern}`, field `{field}`, value `{}`: {problem}", .value.escape_debug())]
    Need {
        /// The pattern as configured.
        pattern: String,
        /// The field of the route.
        field: &'static str,
        /// The value in that field.
        value: String,
        /// The problem and its remedy.
        problem: String,
    },
    /// A route admits 0 simultaneous requests.
    #[error(
        "route pattern `{pattern}`, field `concurrency`: the limit is 0 requests: \
        set 1 or more, or remove the route from the table"
    )]
    Concurrency {
        /// The pattern as configured.
        pattern: String,
    },
    /// A route gives its handler 0 seconds to answer.
    #[error(
        "route pattern `{pattern}`, field `budget`: the time budget is 0 seconds: \
        set a longer one, or leave the budget out"
    )]
    Budget {
        /// The pattern as configured.
        pattern: String,
    },
    /// A request of a route costs more than a quota ever allows.
    #[error(
        "route pattern `{pattern}`, field `cost`: a cost of {cost} is over the limit of the quota `{quota}`, \
        which is {limit}: lower the cost, or raise the quota"
    )]
    Cost {
        /// The pattern as configured.
        pattern: String,
        /// The cost of a request.
        cost: u32,
        /// The name of the quota.
        quota: String,
        /// The limit of the quota.
        limit: u32,
    },
}
