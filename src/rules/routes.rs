//! The lines of a route table, as a program writes them.

use http::Method;

use super::needs::RouteNeeds;
use super::route::{Route, RouteRow};
use super::table::RouteTable;
use crate::error::ConfigError;

/// Chooses what happens to an authenticated request that no line of the table covers. See [`Routes`]
/// for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Otherwise<'a> {
    /// Refuse it.
    #[default]
    Deny,
    /// Let it pass under these needs. An ambiguous path is refused all the same.
    Need(Route<'a>),
}

/// Collects the lines of a route table. Patterns are axum's: `/users/{id}`, `/v{number}`,
/// `/files/{*rest}`; the most specific one counts. They match the path as the client sent it,
/// nesting included. A path that leaves a parameter empty is ambiguous.
///
/// Patterns that axum 0.8 refuses, as `/users/:id` and `/files/*`, and those that no path can match, as
/// `/a//b` and `/users?page`, are a [`ConfigError`] when the layer is
/// built. The error says what to write.
///
/// ```
/// use http::Method;
/// use tower_api_key::rules::{Otherwise, Route, Routes};
///
/// let routes = Routes::new()
///     .on(&[Method::GET], "/v1/users", Route::new().all_of(&["users.read"]))
///     .on(&[Method::POST], "/v1/users", Route::new().all_of(&["users.write"]))
///     .on(&[], "/v1/organizations/{org}/{*rest}", Route::new().account_parameter("org"))
///     .otherwise(Otherwise::Need(Route::new().all_of(&["admin"])));
/// # use tower_api_key::{ApiKeyLayer, store::MemoryStore, vendors};
/// # let builder = ApiKeyLayer::builder(vendors::POLYTEIA, MemoryStore::new());
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

    /// Adds a line; no methods means all. `HEAD` needs what `GET` needs, unless it is listed itself.
    pub fn on(mut self, methods: &[Method], path: impl Into<String>, route: Route<'_>) -> Self {
        self.rows.push((methods.to_vec(), path.into(), route.into()));
        self
    }

    /// Adds lines that stand as data: a constant, or what a file says.
    pub fn rows(self, rows: &[RouteRow<'_>]) -> Self {
        rows.iter().fold(self, |routes, row| routes.on(row.methods, row.path, row.route))
    }

    /// Chooses what happens to requests that no line covers; they are refused unless set. A path
    /// whose most specific pattern lists other methods only is not covered, whatever a less
    /// specific pattern lists.
    pub fn otherwise(mut self, otherwise: Otherwise<'_>) -> Self {
        self.otherwise = match otherwise {
            Otherwise::Deny => None,
            Otherwise::Need(route) => Some(route.into()),
        };
        self
    }

    /// Compiles the lines into a table that matches requests.
    pub(crate) fn compile(self) -> Result<RouteTable, ConfigError> {
        RouteTable::new(self)
    }
}
