//! What a route needs, as data.

use std::time::Duration;

use http::Method;

use crate::concurrency::Concurrency;
use crate::quota::Quota;

/// Describes what a request of a route needs beyond a living key; nothing, unless said otherwise. It
/// borrows what it lists; [`Routes`](super::Routes) copies that.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::concurrency::Concurrency;
/// use tower_api_key::rules::Route;
///
/// const INSERT: Route = Route::new()
///     .all_of(&["users.write"])
///     .concurrency(Concurrency::new(1).with_longest_wait(Duration::from_secs(1)))
///     .budget(Duration::from_secs(10));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route<'a> {
    pub(super) all_of: &'a [&'a str],
    pub(super) any_of: Option<&'a [&'a str]>,
    pub(super) kinds: Option<&'a [&'a str]>,
    pub(super) account_parameter: Option<&'a str>,
    pub(super) quotas: &'a [Quota],
    pub(super) cost: u32,
    pub(super) metered: bool,
    pub(super) concurrency: Option<Concurrency>,
    pub(super) budget: Option<Duration>,
}

impl Default for Route<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a> Route<'a> {
    /// Needs a living key and nothing else.
    pub const fn new() -> Self {
        Self {
            all_of: &[],
            any_of: None,
            kinds: None,
            account_parameter: None,
            quotas: &[],
            cost: 1,
            metered: false,
            concurrency: None,
            budget: None,
        }
    }

    /// Needs all of these scopes.
    pub const fn all_of(mut self, scopes: &'a [&'a str]) -> Self {
        self.all_of = scopes;
        self
    }

    /// Needs one of these scopes at least. An empty list is refused when the layer is built: no key has
    /// one of none.
    ///
    /// ```
    /// use tower_api_key::rules::{Route, Routes};
    /// use tower_api_key::{ApiKeyLayer, ConfigError, store::MemoryStore, vendors};
    ///
    /// let build = |scopes| {
    ///     let routes = Routes::new().on(&[], "/users", Route::new().any_of(scopes));
    ///     ApiKeyLayer::builder(vendors::POLYTEIA, MemoryStore::new()).routes(routes).build()
    /// };
    /// assert!(build(&["users.read", "users.write"]).is_ok());
    /// assert!(matches!(build(&[]), Err(ConfigError::NoAlternative { .. })));
    /// ```
    pub const fn any_of(mut self, scopes: &'a [&'a str]) -> Self {
        self.any_of = Some(scopes);
        self
    }

    /// Serves keys of these kinds only. An empty list is refused when the layer is built: it would serve
    /// none.
    pub const fn kinds(mut self, kinds: &'a [&'a str]) -> Self {
        self.kinds = Some(kinds);
        self
    }

    /// Takes the account that the request targets from this parameter of the path; it must be the
    /// key's own. The parameter is percent-decoded once, as axum's `Path` decodes it, and so must the service
    /// behind: `/orgs/ada%40corp.example` names the account `ada@corp.example`. An id with characters whose
    /// encoded form makes a path [ambiguous](crate::rules), as `/` and `%` do, cannot be named in a path.
    pub const fn account_parameter(mut self, parameter: &'a str) -> Self {
        self.account_parameter = Some(parameter);
        self
    }

    /// Counts requests of the route under these quotas, besides the account's own.
    pub const fn quotas(mut self, quotas: &'a [Quota]) -> Self {
        self.quotas = quotas;
        self
    }

    /// Takes this much from every quota, where other requests take 1. With 0 a request takes nothing
    /// and no quota refuses it, but it learns how they stand.
    ///
    /// ```
    /// use http::Method;
    /// use tower_api_key::rules::{Route, Routes};
    ///
    /// let routes = Routes::new()
    ///     .on(&[Method::POST], "/v1/exports", Route::new().cost(10))
    ///     .on(&[Method::GET], "/v1/rate-limits", Route::new().cost(0));
    /// # use tower_api_key::{ApiKeyLayer, store::MemoryStore, vendors};
    /// # let builder = ApiKeyLayer::builder(vendors::POLYTEIA, MemoryStore::new());
    /// # assert!(builder.routes(routes).build().is_ok());
    /// ```
    pub const fn cost(mut self, cost: u32) -> Self {
        self.cost = cost;
        self
    }

    /// Lets the handler add to the cost, once it knows it, with
    /// [`Grant::add_cost`](crate::Grant::add_cost). Takes an allocation for each request.
    pub const fn metered(mut self) -> Self {
        self.metered = true;
        self
    }

    /// Limits the requests that an account may have in flight.
    pub const fn concurrency(mut self, concurrency: Concurrency) -> Self {
        self.concurrency = Some(concurrency);
        self
    }

    /// Gives the service this long to answer with a response head; its future is dropped then, and
    /// the client gets the profile's answer. Needs a tokio runtime with its timer enabled.
    pub const fn budget(mut self, budget: Duration) -> Self {
        self.budget = Some(budget);
        self
    }
}

/// States a line of a route table, as a constant.
///
/// ```
/// use http::Method;
/// use tower_api_key::rules::{Route, RouteRow, Routes};
/// # use tower_api_key::{ApiKeyLayer, store::MemoryStore, vendors};
///
/// const READ: Route = Route::new().all_of(&["users.read"]);
/// const ROWS: &[RouteRow] = &[
///     RouteRow { methods: &[Method::GET], path: "/v1/users", route: READ },
///     RouteRow { methods: &[Method::GET], path: "/v1/users/{id}", route: READ },
/// ];
/// let routes = Routes::new().rows(ROWS);
/// # let builder = ApiKeyLayer::builder(vendors::POLYTEIA, MemoryStore::new());
/// assert!(builder.routes(routes).build().is_ok());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteRow<'a> {
    /// The methods; empty means all. `HEAD` needs what `GET` needs, unless it is listed itself.
    pub methods: &'a [Method],
    /// The path pattern: `/users/{id}`, `/files/{*rest}`.
    pub path: &'a str,
    /// What a request needs.
    pub route: Route<'a>,
}
