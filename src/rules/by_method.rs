//! Lines of a route table for one method, named as axum names them.

use http::Method;

use super::route::Route;
use super::routes::Routes;

impl Routes {
    /// Adds a line for `GET`, and for `HEAD` unless `HEAD` has its own.
    ///
    /// ```
    /// use tower_api_key::rules::{Route, Routes};
    ///
    /// let routes = Routes::new()
    ///     .get("/users", Route::new().all_of(&["users.read"]))
    ///     .post("/users", Route::new().all_of(&["users.write"]));
    /// ```
    pub fn get(self, path: impl Into<String>, route: Route<'_>) -> Self {
        self.on(&[Method::GET], path, route)
    }

    /// Adds a line for `POST`.
    pub fn post(self, path: impl Into<String>, route: Route<'_>) -> Self {
        self.on(&[Method::POST], path, route)
    }

    /// Adds a line for `PUT`.
    pub fn put(self, path: impl Into<String>, route: Route<'_>) -> Self {
        self.on(&[Method::PUT], path, route)
    }

    /// Adds a line for `PATCH`.
    pub fn patch(self, path: impl Into<String>, route: Route<'_>) -> Self {
        self.on(&[Method::PATCH], path, route)
    }

    /// Adds a line for `DELETE`.
    pub fn delete(self, path: impl Into<String>, route: Route<'_>) -> Self {
        self.on(&[Method::DELETE], path, route)
    }

    /// Adds a line for every method.
    pub fn any(self, path: impl Into<String>, route: Route<'_>) -> Self {
        self.on(&[], path, route)
    }
}
