//! The rows of a route table, before they are checked.

use http::Method;

use super::needs::RouteNeeds;
use super::route::{Route, RouteRow};

/// Chooses what happens to an authenticated request that no row of the table covers. See [`Routes`] for
/// an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Otherwise<'a> {
    /// Refuses the request.
    #[default]
    Deny,
    /// Admits the request if it meets these needs. A request with an ambiguous path is still refused.
    Need(Route<'a>),
}

/// Collects the rows of a route table.
///
/// Path patterns are those of axum 0.8: `/users/{id}`, `/v{number}`, `/files/{*rest}`. The most
/// specific pattern counts. A pattern matches the path as the client sent it, with the prefix of a
/// nested router. A path that leaves a parameter empty is ambiguous, and matches no route.
///
/// Patterns that axum refuses, such as `/users/:id` and `/files/*`, are a [`ConfigError`](crate::ConfigError) when the layer is
/// built. So are patterns that no path can match, such as `/a//b` and `/users?page`. The error says what to
/// write.
///
/// ```
/// use tower_api_key::rules::{Otherwise, Route, Routes};
/// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
///
/// let routes = Routes::new()
///     .get("/v1/users", Route::new().all_of(&["users.read"]))
///     .post("/v1/users", Route::new().all_of(&["users.write"]))
///     .any("/v1/organizations/{org}/{*rest}", Route::new().account_parameter("org"))
///     .otherwise(Otherwise::Need(Route::new().all_of(&["admin"])));
/// let builder = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new());
/// assert!(builder.routes(routes).build().is_ok());
/// ```
#[derive(Debug, Clone, Default)]
pub struct Routes {
    pub(super) rows: Vec<(Vec<Method>, String, RouteNeeds)>,
    pub(super) otherwise: Option<RouteNeeds>,
}

impl Routes {
    /// Starts an empty table, which refuses every request.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a row for these methods. An empty list means all. `HEAD` has the route of `GET`, unless
    /// `HEAD` is listed itself. So has an extended `CONNECT`, which opens a WebSocket over HTTP/2 (RFC 8441): a handler
    /// that takes any method must not do more for it than for `GET`.
    pub fn on(mut self, methods: &[Method], path: impl Into<String>, route: Route<'_>) -> Self {
        self.rows.push((methods.to_vec(), path.into(), route.into()));
        self
    }

    /// Adds rows that exist as data, from a constant or a file.
    pub fn rows(self, rows: &[RouteRow<'_>]) -> Self {
        rows.iter().fold(self, |routes, row| routes.on(row.methods, row.path, row.route))
    }

    /// Chooses what happens to requests that no row covers. By default they are refused.
    ///
    /// Only the most specific pattern of a path counts. If it does not list the method, no row covers
    /// the request, even if a less specific pattern lists it.
    pub fn otherwise(mut self, otherwise: Otherwise<'_>) -> Self {
        self.otherwise = match otherwise {
            Otherwise::Deny => None,
            Otherwise::Need(route) => Some(route.into()),
        };
        self
    }
}
