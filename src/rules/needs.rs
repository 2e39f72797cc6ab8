//! What a route needs, owning what its description borrows.

use std::time::Duration;

use super::route::Route;
use crate::concurrency::Concurrency;
use crate::quota::{Quotas, StripedQuotas};

/// What a request of a route needs beyond a living key.
#[derive(Debug, Clone)]
pub(crate) struct RouteNeeds {
    pub(crate) all_of: Box<[Box<str>]>,
    pub(crate) any_of: Option<Box<[Box<str>]>>,
    pub(crate) kinds: Option<Box<[Box<str>]>>,
    pub(crate) account_parameter: Option<Box<str>>,
    pub(crate) quotas: StripedQuotas,
    pub(crate) cost: u32,
    pub(crate) metered: bool,
    pub(crate) concurrency: Option<Concurrency>,
    pub(crate) budget: Option<Duration>,
}

impl RouteNeeds {
    /// Returns true if a request without a key could meet the needs. Quotas, costs and places are an
    /// account's: were strangers let past them, leaving the key out would lift them. Where requests
    /// are counted, only a route that costs nothing takes nothing from a key's quotas.
    pub(crate) fn is_open(&self, is_counted: bool) -> bool {
        self.all_of.is_empty()
            && self.any_of.is_none()
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
            kinds: route.kinds.map(own),
            account_parameter: route.account_parameter.map(Box::from),
            quotas: Quotas::unchecked(route.quotas.to_vec()).into(),
            cost: route.cost,
            metered: route.metered,
            concurrency: route.concurrency,
            budget: route.budget,
        }
    }
}
