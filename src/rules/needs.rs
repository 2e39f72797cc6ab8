//! What a route needs, with owned texts.

use std::ops::RangeInclusive;
use std::time::Duration;

use http::StatusCode;

use super::route::Route;
use super::scope::needed;
use super::scope_need::ScopeNeed;
use crate::concurrency::Concurrency;
use crate::quota::{Quotas, StripedQuotas};

/// Names of scopes or kinds.
pub(super) type NameList = Box<[Box<str>]>;

/// What a request of a route needs besides a valid key. It owns what [`Route`] borrows.
#[derive(Debug, Clone)]
pub(crate) struct RouteNeeds {
    pub(crate) all_of: NameList,
    pub(crate) any_of: Option<NameList>,
    pub(crate) sets: Option<Box<[NameList]>>,
    pub(crate) kinds: Option<NameList>,
    pub(crate) account_parameter: Option<Box<str>>,
    pub(crate) quotas: StripedQuotas,
    pub(crate) cost: u32,
    pub(crate) metered: bool,
    pub(crate) refund_on: Box<[RangeInclusive<u16>]>,
    /// The cost may change when the service has ended: the route is metered, or refunds.
    pub(crate) settles: bool,
    pub(crate) concurrency: Option<Concurrency>,
    pub(crate) budget: Option<Duration>,
}

impl RouteNeeds {
    /// Lists the scopes that the route names, each once.
    pub(crate) fn scopes(&self) -> Vec<&str> {
        needed(&self.all_of, self.any_of.as_deref(), self.sets.as_deref())
    }

    /// Lists the scopes of each list of the route.
    pub(crate) fn scopes_by_need(&self) -> impl Iterator<Item = (ScopeNeed, &str)> {
        let all_of = self.all_of.iter().map(|scope| (ScopeNeed::AllOf, &**scope));
        let any_of = self.any_of.iter().flatten().map(|scope| (ScopeNeed::AnyOf, &**scope));
        let sets = self.sets.iter().flatten().enumerate();
        let in_sets = sets.flat_map(|(index, set)| {
            set.iter().map(move |scope| (ScopeNeed::Set(index), &**scope))
        });
        all_of.chain(any_of).chain(in_sets)
    }

    /// Returns true if a request that is answered with this status costs nothing.
    pub(crate) fn refunds(&self, status: StatusCode) -> bool {
        self.refund_on.iter().any(|statuses| statuses.contains(&status.as_u16()))
    }

    /// Returns true if an anonymous request can meet the needs.
    ///
    /// Quotas, costs and permits belong to an account. If anonymous requests could pass them, a client
    /// could leave its key out to avoid its limits. Where requests are counted, only a route that costs
    /// nothing takes nothing from a key's quotas.
    pub(crate) fn is_open(&self, is_counted: bool) -> bool {
        self.all_of.is_empty()
            && self.any_of.is_none()
            && self.sets.is_none()
            && self.kinds.is_none()
            && self.account_parameter.is_none()
            && self.quotas.as_slice().is_empty()
            && self.concurrency.is_none()
            && (!is_counted || (self.cost == 0 && !self.metered))
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
            cost: route.cost,
            metered: route.metered,
            refund_on: route.refund_on.into(),
            settles: route.metered || !route.refund_on.is_empty(),
            concurrency: route.concurrency,
            budget: route.budget,
        }
    }
}
