//! The routes of a straight function: what a table of routes has to know, and no more.

use hashbrown::HashMap;
use http::Method;

use super::gates::GRPC_SERVICE;

/// The scope that each method of a path needs.
type MethodScopes = &'static [(Method, &'static str)];

/// The same routes as [`routes`](super::gates::routes).
pub(crate) struct StraightRoutes {
    plain: HashMap<Box<str>, MethodScopes>,
    patterns: matchit::Router<MethodScopes>,
}

impl StraightRoutes {
    pub(crate) fn new() -> Self {
        let users: MethodScopes = &[(Method::GET, "users.read"), (Method::POST, "users.write")];
        let user: MethodScopes = &[(Method::PUT, "users.write"), (Method::DELETE, "users.write")];
        let call: MethodScopes = &[(Method::POST, "users.read")];
        let method = format!("/{GRPC_SERVICE}/ListUsers");
        let plain = [("/v1/users", users), (&method, call)];
        let plain = plain.into_iter().map(|(path, scopes)| (Box::from(path), scopes)).collect();
        let mut patterns = matchit::Router::new();
        patterns.insert("/v1/users/{id}", user).expect("a pattern");
        Self { plain, patterns }
    }

    /// Returns the scope that a request needs; `None` if no route covers it.
    pub(crate) fn find(&self, method: &Method, path: &str) -> Option<&'static str> {
        let methods = match self.plain.get(path) {
            Some(methods) => *methods,
            None => self.by_pattern(path)?,
        };
        methods.iter().find(|(listed, _)| listed == method).map(|(_, scope)| *scope)
    }

    /// Finds a path with parameters, unless two readers could read it differently.
    #[cold]
    fn by_pattern(&self, path: &str) -> Option<MethodScopes> {
        let is_plain = |segment: &str| {
            !segment.is_empty() && !segment.starts_with('.') && !segment.contains(['%', '\\', ';'])
        };
        let found = self.patterns.at(path).ok()?;
        path.split('/').skip(1).all(is_plain).then_some(*found.value)
    }
}
