//! The needs of a route, as data.

use std::ops::RangeInclusive;
use std::time::Duration;

use http::Method;

use super::query_cost::QueryCost;
use crate::concurrency::Concurrency;
use crate::quota::Quota;

/// Describes what a request of a route needs besides a valid key. By default it needs nothing else.
///
/// A route borrows what it lists. [`Routes`](super::Routes) owns copies.
///
/// A request must meet every need. So with [`all_of`](Self::all_of), [`any_of`](Self::any_of) and
/// [`any_of_sets`](Self::any_of_sets) on one route, a key needs all scopes of the first, one of the second, and one
/// whole set of the third. A second call of a method replaces what the first one set.
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
    pub(crate) all_of: &'a [&'a str],
    pub(crate) any_of: Option<&'a [&'a str]>,
    pub(crate) sets: Option<&'a [&'a [&'a str]]>,
    pub(crate) kinds: Option<&'a [&'a str]>,
    pub(crate) account_parameter: Option<&'a str>,
    pub(crate) quotas: &'a [Quota],
    pub(crate) anonymous_quotas: &'a [Quota],
    pub(crate) only_own_quotas: bool,
    pub(crate) shows_limits: bool,
    pub(crate) cost: u32,
    pub(crate) query_costs: &'a [QueryCost<'a>],
    pub(crate) metered: bool,
    pub(crate) refund_on: &'a [RangeInclusive<u16>],
    pub(crate) concurrency: Option<Concurrency>,
    pub(crate) budget: Option<Duration>,
}

impl Default for Route<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a> Route<'a> {
    /// Requires a valid key and nothing else. A request costs 1.
    pub const fn new() -> Self {
        Self {
            all_of: &[],
            any_of: None,
            sets: None,
            kinds: None,
            account_parameter: None,
            quotas: &[],
            anonymous_quotas: &[],
            only_own_quotas: false,
            shows_limits: true,
            cost: 1,
            query_costs: &[],
            metered: false,
            refund_on: &[],
            concurrency: None,
            budget: None,
        }
    }

    /// Requires all of these scopes, besides what other methods require. A second call replaces the list.
    pub const fn all_of(mut self, scopes: &'a [&'a str]) -> Self {
        self.all_of = scopes;
        self
    }

    /// Requires at least one of these scopes, besides what other methods require. A second call replaces the list.
    /// A layer refuses an empty list, because no key could pass it.
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

    /// Requires all scopes of at least one of these sets, as in "(read and export) or full", besides what other
    /// methods require. A second call replaces the list. A layer refuses an empty list and an empty set.
    ///
    /// ```
    /// use tower_api_key::rules::Route;
    ///
    /// const EXPORT: Route = Route::new().any_of_sets(&[&["users.read", "users.export"], &["full"]]);
    /// ```
    pub const fn any_of_sets(mut self, sets: &'a [&'a [&'a str]]) -> Self {
        self.sets = Some(sets);
        self
    }

    /// Accepts keys of these kinds only. A layer refuses an empty list, because no key could pass it.
    pub const fn kinds(mut self, kinds: &'a [&'a str]) -> Self {
        self.kinds = Some(kinds);
        self
    }

    /// Takes the account that the request targets from this parameter of the path. It must be the key's
    /// own account.
    ///
    /// The gate percent-decodes the parameter once, as axum's `Path` does: `/orgs/ada%40corp.example`
    /// names the account `ada@corp.example`. The service behind must do the same. Some characters, such
    /// as `/` and `%`, make a path [ambiguous](crate::rules) in their encoded form. An account id with
    /// such a character cannot be named in a path.
    pub const fn account_parameter(mut self, parameter: &'a str) -> Self {
        self.account_parameter = Some(parameter);
        self
    }

    /// Counts requests of the route in these quotas too, besides those of the account.
    pub const fn quotas(mut self, quotas: &'a [Quota]) -> Self {
        self.quotas = quotas;
        self
    }

    /// Counts requests without a key in these quotas, by the client's network, besides the
    /// [`AnonymousQuotas`](crate::limits::AnonymousQuotas) of the gate. They open the route to such requests, in
    /// a gate that [admits them](crate::ApiKeyLayerBuilder::optional).
    ///
    /// A layer refuses these quotas on a route that needs a scope, a kind or an account, that has a concurrency
    /// limit, or that is metered: no request without a key reaches such a route.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_api_key::quota::Quota;
    /// use tower_api_key::rules::Route;
    ///
    /// const BY_ACCOUNT: &[Quota] = &[Quota::new("search", 100, Duration::from_secs(60))];
    /// const BY_NETWORK: &[Quota] = &[Quota::new("search", 5, Duration::from_secs(60))];
    /// const SEARCH: Route = Route::new().quotas(BY_ACCOUNT).anonymous_quotas(BY_NETWORK);
    /// ```
    pub const fn anonymous_quotas(mut self, quotas: &'a [Quota]) -> Self {
        self.anonymous_quotas = quotas;
        self
    }

    /// Charges each request this much in every quota, instead of 1. With 0, no quota refuses the
    /// request or is charged, but the response has the limit headers.
    ///
    /// ```
    /// use tower_api_key::rules::{Route, Routes};
    ///
    /// let routes = Routes::new()
    ///     .post("/v1/exports", Route::new().cost(10))
    ///     .get("/v1/rate-limits", Route::new().cost(0));
    /// ```
    pub const fn cost(mut self, cost: u32) -> Self {
        self.cost = cost;
        self
    }

    /// Allows the handler to add to the cost with [`Grant::add_cost`](crate::Grant::add_cost), and to give it back
    /// with [`Grant::refund`](crate::Grant::refund), when it knows the true cost. Needs one allocation for each
    /// request.
    pub const fn metered(mut self) -> Self {
        self.metered = true;
        self
    }

    /// Gives the cost back to requests that are answered with a status in one of these ranges, added costs
    /// included. Such a request must find room in its quotas first. The limit headers of its response show what
    /// was given back.
    ///
    /// The status that the client gets counts, with these exceptions:
    ///
    /// * A request that has spent its [time budget](Self::budget) keeps its cost, because it was the most work.
    /// * A client that hangs up before the answer gets nothing back. Neither does one whose handler panics.
    /// * A refusal by the handler has the status of the profile's row.
    /// * A gRPC call that ends without a message has the HTTP status of its code (`google.rpc.Code`): 500 for
    ///   `INTERNAL`, 503 for `UNAVAILABLE`. All others have 200.
    /// * An inner service that fails without a response counts as 500.
    /// * A response that a `ShapingLayer` refuses has the status of the vendor's internal error, usually 500, although
    ///   the service has done all its work. Where clients choose how large a response is, one over `max_bytes` would
    ///   be free.
    ///
    /// An [anonymous request](Self::anonymous_quotas) gives its cost back to the quotas of its network. Limiters give
    /// nothing back to networks that they count together, because none of those has a count of its own.
    ///
    /// A fixed window that a refunded request opened keeps its end if other requests count in it. At most `2 × limit`
    /// then count within one window's length, instead of `2 × limit - 1`.
    ///
    /// Refund failures of the service, 5xx. Clients choose which of their requests get another status. With
    /// `If-None-Match: *`, for one, each GET of what exists may be answered 304 (RFC 9110, section 13.1.2), and would
    /// cost nothing.
    ///
    /// A layer refuses a limiter that [gives nothing back](crate::limits::Limiter::refunds).
    ///
    /// ```
    /// use tower_api_key::rules::{Route, Routes};
    ///
    /// let routes = Routes::new()
    ///     // Failures of the service cost nothing.
    ///     .post("/v1/exports", Route::new().cost(10).refund_on(&[500..=599]))
    ///     // Here, only what the service behind this one has failed to answer.
    ///     .get("/v1/users", Route::new().refund_on(&[502..=504]));
    /// ```
    pub const fn refund_on(mut self, statuses: &'a [RangeInclusive<u16>]) -> Self {
        self.refund_on = statuses;
        self
    }

    /// Limits the requests of an account that may be in flight on this route at the same time.
    pub const fn concurrency(mut self, concurrency: Concurrency) -> Self {
        self.concurrency = Some(concurrency);
        self
    }

    /// Limits the time until the service answers with a response head. After that time the gate drops
    /// the service's future and sends the profile's answer. Needs a tokio runtime with its timer
    /// enabled.
    pub const fn budget(mut self, budget: Duration) -> Self {
        self.budget = Some(budget);
        self
    }
}

/// Holds a row of a route table, for tables that are constants.
///
/// ```
/// use http::Method;
/// use tower_api_key::rules::{Route, RouteRow, Routes};
///
/// const READ: Route = Route::new().all_of(&["users.read"]);
/// const ROWS: &[RouteRow] = &[
///     RouteRow { methods: &[Method::GET], path: "/v1/users", route: READ },
///     RouteRow { methods: &[Method::GET], path: "/v1/users/{id}", route: READ },
/// ];
/// let routes = Routes::new().rows(ROWS);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteRow<'a> {
    /// The methods. An empty list means all. `HEAD` has the route of `GET`, unless `HEAD` is listed
    /// itself.
    pub methods: &'a [Method],
    /// The path pattern, such as `/users/{id}` or `/files/{*rest}`.
    pub path: &'a str,
    /// What a request of this row needs.
    pub route: Route<'a>,
}
