//! The table of routes: method and path pattern lead to what a request needs.

use hashbrown::HashMap;
use http::Method;
use smol_str::SmolStr;

use super::account::Targets;
use super::path;
use super::pattern::Pattern;
use super::route::{Route, RouteRow};
use crate::error::ConfigError;
use crate::key::{KeyKind, ScopeSet};
use crate::quota::{Quota, Quotas};

/// Chooses what happens to an authenticated request that no line of the table covers. See [`Routes`]
/// for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Otherwise {
    /// Refuse it.
    #[default]
    Deny,
    /// Let it pass under these needs. An ambiguous path is refused all the same.
    Need(Route),
}

/// Collects the lines of a route table. Patterns are axum's: `/users/{id}`, `/v{number}`,
/// `/files/{*rest}`; the most specific one counts. They match the path as the client sent it,
/// nesting included. A path that leaves a parameter empty is ambiguous.
///
/// Patterns that axum 0.8 refuses, as `/users/:id` and `/files/*`, and those that no path can match, as
/// `/a//b` and `/users?page`, are a [`ConfigError`] when the layer is built. The error says what to write.
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
    rows: Vec<(Vec<Method>, String, Route)>,
    otherwise: Otherwise,
}

impl Routes {
    /// Starts an empty table, which refuses every request.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a line; no methods means all. `HEAD` needs what `GET` needs, unless it is listed itself.
    pub fn on(mut self, methods: &[Method], path: impl Into<String>, route: Route) -> Self {
        self.rows.push((methods.to_vec(), path.into(), route));
        self
    }

    /// Adds the lines of a constant.
    pub fn rows(self, rows: &[RouteRow]) -> Self {
        rows.iter().fold(self, |routes, row| routes.on(row.methods, row.path, row.route))
    }

    /// Chooses what happens to requests that no line covers; they are refused unless set. A path
    /// whose most specific pattern lists other methods only is not covered, whatever a less
    /// specific pattern lists.
    pub fn otherwise(mut self, otherwise: Otherwise) -> Self {
        self.otherwise = otherwise;
        self
    }

    pub(crate) fn compile(self) -> Result<RouteTable, ConfigError> {
        let mut table = RouteTable {
            plain: HashMap::new(),
            patterns: matchit::Router::new(),
            methods: Vec::new(),
            routes: Vec::new(),
            otherwise: None,
        };
        if let Otherwise::Need(route) = self.otherwise {
            table.otherwise = Some(table.routes.len());
            table.routes.push(Compiled::new(&[], "*", &[], route)?);
        }
        let mut known: Vec<(String, usize)> = Vec::new();
        for (methods, pattern, route) in self.rows {
            let index = table.routes.len();
            let parameters = Pattern::new(&pattern)?.parameters;
            table.routes.push(Compiled::new(&methods, &pattern, &parameters, route)?);
            let at = known.iter().find(|(path, _)| *path == pattern).map(|(_, at)| *at);
            let at = if let Some(at) = at {
                at
            } else {
                let at = table.methods.len();
                let inserted = table.patterns.insert(pattern.clone(), at);
                inserted
                    .map_err(|source| ConfigError::Route { pattern: pattern.clone(), source })?;
                table.methods.push(Methods::default());
                if !pattern.contains(['{', '}']) && path::is_unambiguous(&pattern) {
                    table.plain.insert(pattern.clone().into(), at);
                }
                known.push((pattern.clone(), at));
                at
            };
            let repeated = ConfigError::RouteRepeated { pattern };
            let entry = table.methods.get_mut(at);
            if !entry.is_some_and(|entry| entry.add(&methods, index)) {
                return Err(repeated);
            }
        }
        Ok(table)
    }
}

/// A route table that is ready to match.
#[derive(Debug, Clone)]
pub(crate) struct RouteTable {
    /// The patterns without parameters: to find a path among them takes a third of what the matcher
    /// takes, and they outrank all others there, too.
    plain: HashMap<Box<str>, usize>,
    patterns: matchit::Router<usize>,
    methods: Vec<Methods>,
    routes: Vec<Compiled>,
    otherwise: Option<usize>,
}

/// The routes of one pattern, by method.
#[derive(Debug, Clone, Default)]
struct Methods {
    listed: Vec<(Method, usize)>,
    any: Option<usize>,
}

#[derive(Debug, Clone)]
struct Compiled {
    name: SmolStr,
    route: Route,
}

/// What a request of the table needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Matched<'a> {
    /// The place in the table.
    pub(crate) index: usize,
    pub(crate) route: &'a Route,
    pub(crate) target: Targets<'a>,
}

impl Methods {
    /// Adds methods; `false` if one is there already.
    fn add(&mut self, methods: &[Method], index: usize) -> bool {
        if methods.is_empty() {
            return self.any.replace(index).is_none();
        }
        methods.iter().all(|method| {
            let repeated = self.listed.iter().any(|(listed, _)| listed == method);
            self.listed.push((method.clone(), index));
            !repeated
        })
    }

    fn find(&self, method: &Method) -> Option<usize> {
        let listed = |method: &Method| {
            let entry = self.listed.iter().find(|(listed, _)| listed == method);
            entry.map(|(_, index)| *index)
        };
        let as_get = || (method == Method::HEAD).then(|| listed(&Method::GET)).flatten();
        listed(method).or_else(as_get).or(self.any)
    }
}

impl Compiled {
    fn new(
        methods: &[Method],
        pattern: &str,
        parameters: &[String],
        route: Route,
    ) -> Result<Self, ConfigError> {
        let name = name(methods, pattern);
        let pattern = || pattern.to_owned();
        if let Some(parameter) = route.account_parameter
            && !parameters.iter().any(|name| name == parameter)
        {
            return Err(ConfigError::RouteParameter { pattern: pattern(), parameter });
        }
        if route.concurrency.is_some_and(|rule| rule.limit() == 0) {
            return Err(ConfigError::RouteConcurrency { pattern: pattern() });
        }
        if route.budget.is_some_and(|budget| budget.is_zero()) {
            return Err(ConfigError::RouteBudget { pattern: pattern() });
        }
        for (list, alternatives) in [("any_of", route.any_of), ("kinds", route.kinds)] {
            if alternatives.is_some_and(<[_]>::is_empty) {
                let place = format!("route pattern `{}`", pattern());
                return Err(ConfigError::NoAlternative { place, list });
            }
        }
        let refused = |field, value: &str, problem: String| {
            Err(ConfigError::RouteNeed {
                pattern: pattern(),
                field,
                value: value.to_owned(),
                problem,
            })
        };
        for (field, scopes) in
            [("all_of", route.all_of), ("any_of", route.any_of.unwrap_or_default())]
        {
            for scope in scopes {
                if let Err(problem) = ScopeSet::new([scope]) {
                    return refused(field, scope, problem.to_string());
                }
            }
        }
        for kind in route.kinds.unwrap_or_default() {
            if let Err(problem) = KeyKind::new(kind) {
                return refused("kinds", kind, problem.to_string());
            }
        }
        if let Err(invalid) = Quotas::new(route.quotas.iter().cloned()) {
            let problem = invalid.problem().to_owned();
            return refused("quotas", invalid.name(), problem);
        }
        let compiled = Self { name, route };
        if let Some(quota) = compiled.too_dear_for(route.quotas) {
            return Err(compiled.costs_too_much(quota));
        }
        Ok(compiled)
    }

    /// Finds a quota that never has room for a request of this route.
    fn too_dear_for<'a>(&self, quotas: &'a [Quota]) -> Option<&'a Quota> {
        quotas.iter().find(|quota| !quota.is_shadow() && quota.limit() < self.route.cost)
    }

    fn costs_too_much(&self, quota: &Quota) -> ConfigError {
        ConfigError::RouteCost {
            pattern: self.pattern().to_owned(),
            cost: self.route.cost,
            quota: quota.name().to_owned(),
            limit: quota.limit(),
        }
    }

    /// Returns the pattern out of the name.
    fn pattern(&self) -> &str {
        self.name.split_once(' ').map_or(&*self.name, |(_, pattern)| pattern)
    }
}

impl RouteTable {
    /// Finds what a request needs; `None` if no line covers it.
    pub(crate) fn find<'a>(&'a self, method: &Method, path: &'a str) -> Option<Matched<'a>> {
        let (index, target) = match self.plain.get(path) {
            Some(at) => (self.methods.get(*at)?.find(method), Targets::None),
            None => self.find_by_pattern(method, path)?,
        };
        let index = index.or(self.otherwise)?;
        let route = self.at(index)?;
        Some(Matched { index, route, target })
    }

    /// Finds the line of a path with parameters; `None` if the path is ambiguous.
    fn find_by_pattern<'a>(
        &self,
        method: &Method,
        path: &'a str,
    ) -> Option<(Option<usize>, Targets<'a>)> {
        // Also where the table has an answer for the rest: a service that normalizes paths would
        // take such a path for one that a line covers.
        if !path::is_unambiguous(path) {
            return None;
        }
        let Ok(found) = self.patterns.at(path) else {
            return Some((None, Targets::None));
        };
        // axum takes `/v/x` for `/v{n}/x`, with nothing for `n`; other matchers do not.
        if found.params.iter().any(|(_, value)| value.is_empty()) {
            return None;
        }
        let index = self.methods.get(*found.value).and_then(|methods| methods.find(method));
        let account_parameter = |index: usize| self.at(index)?.account_parameter;
        let target = match index.and_then(account_parameter) {
            None => Targets::None,
            // The parameter is in the pattern; were it not, no account has an empty id.
            Some(name) => Targets::Account(found.params.get(name).unwrap_or_default()),
        };
        Some((index, target))
    }

    /// Returns what a route needs, by its place in the table.
    pub(crate) fn at(&self, index: usize) -> Option<&Route> {
        self.routes.get(index).map(|entry| &entry.route)
    }

    /// Returns the name of a route, by its place in the table: its methods and its pattern. A place
    /// would be another's in a process with another table.
    pub(crate) fn name(&self, index: usize) -> Option<&str> {
        self.routes.get(index).map(|entry| &*entry.name)
    }

    /// Refuses a route whose requests cost more than any of these sets of quotas ever allows.
    pub(crate) fn check_costs(&self, sets: &[&[Quota]]) -> Result<(), ConfigError> {
        for compiled in &self.routes {
            let mut too_low = sets.iter().map(|set| compiled.too_dear_for(set));
            let first = too_low.next().flatten();
            if let Some(quota) = first.filter(|_| too_low.all(|quota| quota.is_some())) {
                return Err(compiled.costs_too_much(quota));
            }
        }
        Ok(())
    }

    /// Tells whether some route has quotas of its own.
    pub(crate) fn has_quotas(&self) -> bool {
        self.routes.iter().any(|entry| !entry.route.quotas.is_empty())
    }

    /// Tells whether handlers of some route may add to the cost.
    pub(crate) fn is_metered(&self) -> bool {
        self.routes.iter().any(|entry| entry.route.metered)
    }
}

/// Names a route, whatever the order in which its methods are listed.
fn name(methods: &[Method], pattern: &str) -> SmolStr {
    let mut methods: Vec<&str> = methods.iter().map(Method::as_str).collect();
    methods.sort_unstable();
    let methods = if methods.is_empty() { "*".to_owned() } else { methods.join(",") };
    SmolStr::new(format!("{methods} {pattern}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: Route = Route::new().all_of(&["read"]);
    const WRITE: Route = Route::new().all_of(&["write"]);

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
            let found = table.find(&method, path).map(|found| *found.route);
            assert_eq!(found, expected, "{method} {path}");
        }
    }

    #[test]
    fn what_no_line_covers_is_refused_unless_said_otherwise() {
        let routes =
            Routes::new().on(&[Method::GET], "/users", READ).on(&[], "/v{number}/users", READ);
        assert!(routes.clone().compile().unwrap().find(&Method::GET, "/x").is_none());
        let table = routes.otherwise(Otherwise::Need(WRITE)).compile().unwrap();
        for (method, path) in [(Method::GET, "/x"), (Method::PUT, "/users")] {
            assert_eq!(table.find(&method, path).map(|found| *found.route), Some(WRITE), "{path}");
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
        // A client that writes the pattern itself names an account, too.
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

    #[test]
    fn contradictory_tables_are_refused() {
        let twice = Routes::new().on(&[Method::GET], "/a", READ).on(&[Method::GET], "/a", WRITE);
        assert!(matches!(twice.compile(), Err(ConfigError::RouteRepeated { .. })));
        let clash = Routes::new().on(&[], "/{a}", READ).on(&[], "/{b}", WRITE);
        assert!(matches!(clash.compile(), Err(ConfigError::Route { .. })));
        let parameter = Routes::new().on(&[], "/a", Route::new().account_parameter("org"));
        assert!(matches!(parameter.compile(), Err(ConfigError::RouteParameter { .. })));
        let scope = Routes::new().on(&[], "/a", Route::new().all_of(&["no space"]));
        assert!(matches!(scope.compile(), Err(ConfigError::RouteNeed { .. })));
        use crate::concurrency::Concurrency;
        let none = Routes::new().on(&[], "/a", Route::new().concurrency(Concurrency::new(0)));
        assert!(matches!(none.compile(), Err(ConfigError::RouteConcurrency { .. })));
        let place = "route pattern `/a`";
        for (route, named) in [
            (Route::new().any_of(&[]), "any_of"),
            (Route::new().all_of(&["read"]).any_of(&[]), "any_of"),
            (Route::new().kinds(&[]), "kinds"),
        ] {
            let error = Routes::new().on(&[], "/a", route).compile().unwrap_err();
            let ConfigError::NoAlternative { place: told, list } = error else { panic!("{error}") };
            assert_eq!((&*told, list), (place, named));
            let otherwise = Routes::new().otherwise(Otherwise::Need(route)).compile();
            assert!(matches!(otherwise, Err(ConfigError::NoAlternative { .. })));
        }
        const TEN: &[Quota] = &[Quota::by_day("ten", 10)];
        const DARK: &[Quota] = &[Quota::by_day("ten", 10).in_shadow()];
        for (quotas, cost, fine) in [(TEN, 10, true), (TEN, 11, false), (DARK, 11, true)] {
            let table = Routes::new().on(&[], "/a", Route::new().quotas(quotas).cost(cost));
            let refused = matches!(table.compile(), Err(ConfigError::RouteCost { .. }));
            assert_eq!(refused, !fine, "{cost}");
        }
    }
}
