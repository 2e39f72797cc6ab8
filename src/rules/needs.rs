//! What a route needs, with owned texts.

use std::ops::RangeInclusive;
use std::time::Duration;

use http::StatusCode;

use super::query_cost::QueryCosts;
use super::route::Route;
use super::scope::by_need;
use crate::concurrency::Concurrency;
use crate::error::ScopeNeed;
use crate::quota::{Quota, Quotas, StripedQuotas};
use crate::request::Head;

/// Names of scopes or kinds.
pub(super) type NameList = Box<[Box<str>]>;

/// Whose requests a gate counts, whatever their route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CountedCallers {
    /// No requests.
    None,
    /// Requests with a key. The quotas of a route may count anonymous requests as well.
    Keys,
    /// Requests with a key and anonymous requests.
    All,
}

impl CountedCallers {
    /// Returns whose requests a gate counts that counts those with a key, and has these anonymous quotas.
    pub(crate) const fn of(anonymous: &[Quota]) -> Self {
        if anonymous.is_empty() { Self::Keys } else { Self::All }
    }
}

/// What a request of a route needs besides a valid key. It owns what [`Route`] borrows.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools)] // The switches are independent of each other.
pub(crate) struct RouteNeeds {
    pub(crate) all_of: NameList,
    pub(crate) any_of: Option<NameList>,
    pub(crate) sets: Option<Box<[NameList]>>,
    pub(crate) kinds: Option<NameList>,
    pub(crate) account_parameter: Option<Box<str>>,
    pub(crate) quotas: StripedQuotas,
    pub(crate) anonymous_quotas: Quotas,
    pub(crate) only_own_quotas: bool,
    pub(crate) shows_limits: bool,
    /// What a request costs whose query asks for nothing.
    pub(crate) cost: u32,
    pub(crate) query_costs: QueryCosts,
    pub(crate) metered: bool,
    pub(crate) refund_on: Box<[RangeInclusive<u16>]>,
    /// The cost may change when the service has ended: the route is metered, or refunds.
    pub(crate) settles: bool,
    pub(crate) concurrency: Option<Concurrency>,
    pub(crate) budget: Option<Duration>,
}

impl RouteNeeds {
    /// Lists the scopes of each list of the route.
    pub(crate) fn scopes_by_need(&self) -> impl Iterator<Item = (ScopeNeed, &str)> {
        by_need(&self.all_of, self.any_of.as_deref(), self.sets.as_deref())
    }

    /// Returns what a request costs.
    pub(crate) fn cost_of(&self, head: &Head<'_>) -> u32 {
        if self.query_costs.is_empty() {
            self.cost
        } else {
            self.cost.saturating_add(self.query_costs.of(head))
        }
    }

    /// Returns true if no request of the route costs anything.
    pub(super) const fn is_free(&self) -> bool {
        self.cost == 0 && self.query_costs.is_empty()
    }

    /// Returns true if a request that is answered with this status costs nothing.
    pub(crate) fn refunds(&self, status: StatusCode) -> bool {
        self.refund_on.iter().any(|statuses| statuses.contains(&status.as_u16()))
    }

    /// Returns true if an anonymous request can meet the needs, apart from limits.
    ///
    /// Permits belong to an account, and a cost is added through a key's grant.
    pub(super) fn needs_no_key(&self) -> bool {
        self.all_of.is_empty()
            && self.any_of.is_none()
            && self.sets.is_none()
            && self.kinds.is_none()
            && self.account_parameter.is_none()
            && self.concurrency.is_none()
    }

    /// Returns true if the route admits anonymous requests.
    ///
    /// Quotas and costs belong to an account. If anonymous requests could pass them uncounted, a client could
    /// leave its key out to avoid its limits. Where requests are counted, a route is open only if it costs
    /// nothing, or if the quotas of anonymous requests stand in for those of accounts: the route's own, or the
    /// gate's where the route has no quotas.
    pub(crate) fn is_open(&self, counted: CountedCallers) -> bool {
        let has_no_quotas = self.quotas.as_slice().is_empty();
        let is_counted = !self.anonymous_quotas.as_slice().is_empty();
        let is_fair = match counted {
            CountedCallers::None => has_no_quotas,
            CountedCallers::Keys => is_counted || has_no_quotas && self.is_free() && !self.metered,
            CountedCallers::All => is_counted || has_no_quotas && !self.metered,
        };
        self.needs_no_key() && is_fair
    }
}

impl From<Route<'_>> for RouteNeeds {
    fn from(route: Route<'_>) -> Self {
        let own = |texts: &[&str]| texts.iter().copied().map(Box::from).collect();
        Self {
            all_of: own(route.all_of),
            any_of: route.any_of.map(own),
            sets: route.sets.map(|sets| sets.iter().copied().map(own).collect()),
            kinds: route.kinds.map(own),
            account_parameter: route.account_parameter.map(Box::from),
            quotas: Quotas::unchecked(route.quotas.to_vec()).into(),
            anonymous_quotas: Quotas::unchecked(route.anonymous_quotas.to_vec()),
            only_own_quotas: route.only_own_quotas,
            shows_limits: route.shows_limits,
            cost: route.cost,
            query_costs: QueryCosts::new(route.query_costs),
            metered: route.metered,
            refund_on: route.refund_on.into(),
            settles: route.metered || !route.refund_on.is_empty(),
            concurrency: route.concurrency,
            budget: route.budget,
        }
    }
}
