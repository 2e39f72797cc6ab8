//! The table of routes, which finds what a request needs by its method and path.

use hashbrown::HashMap;

use super::account::Targets;
use super::compiled_route::CompiledRoute;
use super::compiled_scopes::CompiledScopes;
use super::methods::{Methods, RouteMethod};
use super::needs::{CountedCallers, RouteNeeds};
use super::pattern::{Pattern, collision};
use super::routes::Routes;
use crate::error::{ConfigError, InvalidRoute};
use crate::quota::Quota;
use crate::request::is_unambiguous;

/// A checked route table.
#[derive(Debug, Clone)]
pub(crate) struct RouteTable {
    /// The patterns without parameters. A lookup here takes a third of the matcher's time. The matcher
    /// prefers such patterns, too.
    plain: HashMap<Box<str>, usize>,
    patterns: matchit::Router<usize>,
    methods: Vec<Methods>,
    pub(super) routes: Vec<CompiledRoute>,
    pub(super) otherwise: Option<usize>,
}

/// The route of a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Matched<'a> {
    /// The index in the table.
    pub(crate) index: usize,
    pub(crate) route: &'a RouteNeeds,
    pub(crate) target: Targets<'a>,
}

impl RouteTable {
    /// Checks the rows, and builds a table of them.
    pub(crate) fn new(routes: Routes) -> Result<Self, ConfigError> {
        let mut table = Self {
            plain: HashMap::new(),
            patterns: matchit::Router::new(),
            methods: Vec::new(),
            routes: Vec::new(),
            otherwise: None,
        };
        if let Some(route) = routes.otherwise {
            table.otherwise = Some(table.routes.len());
            table.routes.push(CompiledRoute::new(&[], "*", &[], route)?);
        }
        let mut known: HashMap<String, usize> = HashMap::new();
        for (methods, pattern, route) in routes.rows {
            let index = table.routes.len();
            let parameters = Pattern::new(&pattern)?.parameters;
            table.routes.push(CompiledRoute::new(&methods, &pattern, &parameters, route)?);
            let at = if let Some(at) = known.get(&pattern) {
                *at
            } else {
                let at = table.methods.len();
                let inserted = table.patterns.insert(pattern.clone(), at);
                inserted.map_err(|error| collision(&pattern, &error))?;
                table.methods.push(Methods::default());
                if !pattern.contains(['{', '}']) && is_unambiguous(&pattern) {
                    table.plain.insert(pattern.clone().into(), at);
                }
                known.insert(pattern.clone(), at);
                at
            };
            let repeated = ConfigError::Route(InvalidRoute::Repeated { pattern });
            let entry = table.methods.get_mut(at);
            if !entry.is_some_and(|entry| entry.add(&methods, index)) {
                return Err(repeated);
            }
        }
        Ok(table)
    }

    /// Returns the route of a request; `None` if no row covers the request.
    pub(crate) fn find<'a, 'b>(
        &'a self,
        method: impl Into<RouteMethod<'b>>,
        path: &'a str,
    ) -> Option<Matched<'a>> {
        let method = method.into();
        let (index, target) = match self.plain.get(path) {
            Some(at) => (self.methods.get(*at)?.find(method), Targets::None),
            None => self.find_by_pattern(method, path)?,
        };
        let index = index.or(self.otherwise)?;
        let route = self.at(index)?;
        Some(Matched { index, route, target })
    }

    /// Returns the route of a path with parameters; `None` if the path is ambiguous.
    fn find_by_pattern<'a>(
        &self,
        method: RouteMethod<'_>,
        path: &'a str,
    ) -> Option<(Option<usize>, Targets<'a>)> {
        // `otherwise` does not apply: a service that normalizes paths would read such a path as one
        // that a row covers.
        if !is_unambiguous(path) {
            return None;
        }
        let Ok(found) = self.patterns.at(path) else {
            return Some((None, Targets::None));
        };
        // axum matches `/v/x` with `/v{n}/x`, and leaves `n` empty. Other matchers do not.
        if found.params.iter().any(|(_, value)| value.is_empty()) {
            return None;
        }
        let index = self.methods.get(*found.value).and_then(|methods| methods.find(method));
        let account_parameter = |index: usize| self.at(index)?.account_parameter.as_deref();
        let target = match index.and_then(account_parameter) {
            None => Targets::None,
            // The pattern has the parameter. If it had not, no account would have an empty id.
            Some(name) => Targets::Account(found.params.get(name).unwrap_or_default()),
        };
        Some((index, target))
    }

    /// Returns what a route needs, by its index in the table.
    pub(crate) fn at(&self, index: usize) -> Option<&RouteNeeds> {
        self.routes.get(index).map(|entry| &entry.needs)
    }

    /// Returns the name of a route: its methods and its pattern. Another process may have another
    /// table, where the route has another index.
    pub(crate) fn name(&self, index: usize) -> Option<&str> {
        self.routes.get(index).map(|entry| &*entry.name)
    }

    /// Returns the pattern of a route, by its index in the table.
    pub(crate) fn pattern(&self, index: usize) -> Option<&str> {
        self.routes.get(index).map(CompiledRoute::pattern)
    }

    /// Refuses a route whose requests cost more than any of these sets of quotas ever allows.
    pub(crate) fn check_costs(&self, sets: &[&[Quota]]) -> Result<(), ConfigError> {
        for compiled in self.routes.iter().filter(|compiled| !compiled.needs.only_own_quotas) {
            let mut too_low = sets.iter().map(|set| compiled.quota_below_cost(set));
            let first = too_low.next().flatten();
            if let Some(quota) = first.filter(|_| too_low.all(|quota| quota.is_some())) {
                return Err(compiled.cost_error(quota));
            }
        }
        Ok(())
    }

    /// Refuses a route that gives costs back, for a limiter that cannot.
    pub(crate) fn check_refunds(&self) -> Result<(), ConfigError> {
        self.routes.iter().try_for_each(CompiledRoute::check_refunds)
    }

    /// Refuses a route that admits anonymous requests which cost more than their quotas allow: these general
    /// ones, or the route's.
    pub(crate) fn check_anonymous_costs(&self, general: &[Quota]) -> Result<(), ConfigError> {
        let counted = CountedCallers::of(general);
        for compiled in self.routes.iter().filter(|compiled| compiled.needs.is_open(counted)) {
            let own = compiled.needs.anonymous_quotas.as_slice();
            let general = if compiled.needs.only_own_quotas { &[][..] } else { general };
            let too_low = [general, own].into_iter().find_map(|set| compiled.quota_below_cost(set));
            if let Some(quota) = too_low {
                return Err(compiled.cost_error(quota));
            }
        }
        Ok(())
    }

    /// Returns the pattern of a route with quotas of anonymous requests.
    pub(crate) fn anonymous_pattern(&self) -> Option<&str> {
        let mut routes = self.routes.iter();
        let counted = |it: &&CompiledRoute| !it.needs.anonymous_quotas.as_slice().is_empty();
        routes.find(counted).map(CompiledRoute::pattern)
    }

    /// Refuses a route that needs a scope which the gate reads as a wildcard.
    pub(crate) fn check_scopes(&self, rules: &CompiledScopes) -> Result<(), ConfigError> {
        self.routes.iter().try_for_each(|compiled| compiled.check_scopes(rules))
    }

    /// Returns the own quotas of each route.
    pub(crate) fn quotas(&self) -> impl Iterator<Item = &[Quota]> {
        self.routes.iter().map(|entry| entry.needs.quotas.as_slice())
    }

    /// Returns the own quotas of each route for anonymous requests.
    pub(crate) fn anonymous_quotas(&self) -> impl Iterator<Item = &[Quota]> {
        self.routes.iter().map(|entry| entry.needs.anonymous_quotas.as_slice())
    }

    /// Returns true if a route has its own quotas.
    pub(crate) fn has_quotas(&self) -> bool {
        self.quotas().chain(self.anonymous_quotas()).any(|set| !set.is_empty())
    }

    /// Returns true if handlers of a route may add to the cost.
    pub(crate) fn is_metered(&self) -> bool {
        self.routes.iter().any(|entry| entry.needs.metered)
    }
}

#[cfg(test)]
impl Routes {
    pub(super) fn compile(self) -> Result<RouteTable, ConfigError> {
        RouteTable::new(self)
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;
    use crate::rules::{Otherwise, Route};

    const READ: Route<'_> = Route::new().all_of(&["read"]);
    const WRITE: Route<'_> = Route::new().all_of(&["write"]);

    /// Returns the scopes of the row that covers a request.
    fn found<'a>(table: &'a RouteTable, method: &Method, path: &'a str) -> Option<&'a [Box<str>]> {
        table.find(method, path).map(|found| &*found.route.all_of)
    }

    fn scopes(route: Route<'_>) -> Box<[Box<str>]> {
        RouteNeeds::from(route).all_of
    }

    #[test]
    fn the_most_specific_line_counts() {
        let table = Routes::new()
            .on(&[Method::GET], "/users", READ)
            .on(&[Method::POST, Method::PUT], "/users", WRITE)
            .on(&[Method::GET], "/users/{id}", READ)
            .on(&[], "/users/me", Route::new())
            .on(&[], "/files/{*rest}", READ)
            .on(&[], "/where/id={n}/all", WRITE)
            .on(&[], "/where/{*rest}", READ)
            .compile()
            .unwrap();
        for (method, path, expected) in [
            (Method::GET, "/users", Some(READ)),
            (Method::HEAD, "/users", Some(READ)),
            (Method::PUT, "/users", Some(WRITE)),
            (Method::DELETE, "/users", None),
            (Method::GET, "/users/7", Some(READ)),
            (Method::GET, "/users/me", Some(Route::new())),
            (Method::GET, "/files/a/b", Some(READ)),
            (Method::GET, "/users/", None),
            (Method::GET, "/users/%6de", None),
            (Method::GET, "/files/../users", None),
            (Method::GET, "/where/id=7/all", Some(WRITE)),
            (Method::GET, "/where/id=/all", None),
            (Method::GET, "/where/id=", Some(READ)),
            (Method::GET, "/other", None),
            (Method::OPTIONS, "*", None),
        ] {
            let found = found(&table, &method, path);
            assert_eq!(found, expected.map(scopes).as_deref(), "{method} {path}");
        }
    }

    #[test]
    fn requests_that_no_row_covers_are_refused_by_default() {
        let routes =
            Routes::new().on(&[Method::GET], "/users", READ).on(&[], "/v{number}/users", READ);
        assert!(routes.clone().compile().unwrap().find(&Method::GET, "/x").is_none());
        let table = routes.otherwise(Otherwise::Need(WRITE)).compile().unwrap();
        for (method, path) in [(Method::GET, "/x"), (Method::PUT, "/users")] {
            assert_eq!(found(&table, &method, path), Some(&*scopes(WRITE)), "{path}");
        }
        for path in ["//users", "/v/users"] {
            assert!(table.find(&Method::GET, path).is_none(), "{path} is ambiguous");
        }
    }

    #[test]
    fn the_target_account_is_the_parameter() {
        let own = Route::new().account_parameter("org");
        let table = Routes::new().on(&[], "/orgs/{org}/users", own).compile().unwrap();
        let found = table.find(&Method::GET, "/orgs/acme/users").unwrap();
        assert_eq!(found.target, Targets::Account("acme"));
        // A client that sends the pattern itself names an account, too.
        let found = table.find(&Method::GET, "/orgs/{org}/users").unwrap();
        assert_eq!(found.target, Targets::Account("{org}"));
    }

    #[test]
    fn a_route_is_named_by_methods_and_pattern_wherever_it_stands() {
        let table = Routes::new()
            .on(&[Method::PUT, Method::POST], "/users/{id}", WRITE)
            .on(&[], "/files/{*rest}", READ)
            .otherwise(Otherwise::Need(READ))
            .compile()
            .unwrap();
        let names: Vec<_> = (0..4).map(|index| table.name(index)).collect();
        let [first, second] = ["POST,PUT /users/{id}", "* /files/{*rest}"].map(Some);
        assert_eq!(names, [Some("* *"), first, second, None]);
    }
}
