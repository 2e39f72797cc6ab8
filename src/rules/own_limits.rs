//! Routes that are limited apart from the account.

use super::query_cost::QueryCost;
use super::route::Route;

impl<'a> Route<'a> {
    /// Counts requests of the route in its own [quotas](Self::quotas) only, and not in those of the account, its key,
    /// its plan or the profile. For anonymous requests, the same holds for the
    /// [anonymous quotas](Self::anonymous_quotas) of the route.
    ///
    /// A layer refuses such a route without quotas. Let it [cost](Self::cost) nothing instead.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_api_key::quota::Quota;
    /// use tower_api_key::rules::Route;
    ///
    /// const SEARCHES: &[Quota] = &[Quota::new("search", 30, Duration::from_secs(60))];
    /// const SEARCH: Route = Route::new().quotas(SEARCHES).only_own_quotas();
    /// ```
    pub const fn only_own_quotas(mut self) -> Self {
        self.only_own_quotas = true;
        self
    }

    /// Leaves the profile's limit headers out of the responses of this route, refusals included. `Retry-After` stays.
    ///
    /// ```
    /// use tower_api_key::rules::{Route, Routes};
    ///
    /// let routes = Routes::new().post("/v3/mail/send", Route::new().without_limit_headers());
    /// ```
    pub const fn without_limit_headers(mut self) -> Self {
        self.shows_limits = false;
        self
    }

    /// Adds to the [cost](Self::cost) of a request what its query asks for.
    ///
    /// ```
    /// use tower_api_key::rules::{QueryCost, Route, Routes};
    ///
    /// // `?include=requester,stats` costs 1 + 2 * 2.
    /// const INCLUDED: &[QueryCost] = &[QueryCost { parameter: "include", each: 2 }];
    /// let routes = Routes::new().get("/api/v2/tickets", Route::new().query_costs(INCLUDED));
    /// ```
    pub const fn query_costs(mut self, costs: &'a [QueryCost<'a>]) -> Self {
        self.query_costs = costs;
        self
    }
}
