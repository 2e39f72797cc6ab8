//! The series of requests: one for each vendor, route pattern, decision and denial that has occurred.

use std::hash::Hash;
use std::sync::Arc;

use arc_swap::ArcSwap;
use hashbrown::{Equivalent, HashMap};
use metrics::{Counter, Histogram, counter, histogram};

use super::metric::Metric;
use crate::decision::{ObservedRequest, RequestDecision};
use crate::error::Denial;

/// The handles of all series so far. A request takes no lock: a new series copies the table.
#[derive(Default)]
pub(super) struct RequestSeriesTable(ArcSwap<HashMap<SeriesName, RequestSeries>>);

/// What tells series apart.
#[derive(Clone, PartialEq, Eq, Hash)]
struct SeriesName {
    vendor: Box<str>,
    route: Box<str>,
    decision: RequestDecision,
    denial: Option<&'static str>,
}

/// The name of the series of a request. It has the hash of its [`SeriesName`].
#[derive(Clone, Copy, Hash)]
struct SeriesOf<'a> {
    vendor: &'a str,
    route: &'a str,
    decision: RequestDecision,
    denial: Option<&'static str>,
}

/// The handles of one series.
#[derive(Clone)]
struct RequestSeries {
    requests: Counter,
    cost: Counter,
    decision: Histogram,
    denials: Counter,
}

impl RequestSeriesTable {
    /// Counts a request.
    pub(super) fn count(&self, request: &ObservedRequest<'_>) {
        let name = SeriesOf {
            vendor: request.vendor(),
            route: request.route().unwrap_or_default(),
            decision: request.decision(),
            denial: request.denial().map(Denial::name),
        };
        if let Some(series) = self.0.load().get(&name) {
            return series.count(request);
        }
        self.add(name).count(request);
    }

    #[cold]
    fn add(&self, name: SeriesOf<'_>) -> RequestSeries {
        let series = RequestSeries::new(name);
        self.0.rcu(|table| {
            let mut table = HashMap::clone(table);
            table.insert(name.into(), series.clone());
            Arc::new(table)
        });
        series
    }
}

impl RequestSeries {
    fn new(name: SeriesOf<'_>) -> Self {
        let (vendor, route) = (name.vendor.to_owned(), name.route.to_owned());
        let decision = name.decision.name();
        let denials = name.denial.map_or_else(Counter::noop, |reason| {
            counter!(Metric::DENIALS.name(), "vendor" => vendor.clone(), "reason" => reason)
        });
        Self {
            requests: counter!(
                Metric::REQUESTS.name(),
                "vendor" => vendor.clone(), "http.route" => route.clone(), "decision" => decision,
            ),
            decision: histogram!(
                Metric::DECISION.name(), "vendor" => vendor.clone(), "decision" => decision,
            ),
            cost: counter!(Metric::COST.name(), "vendor" => vendor, "http.route" => route),
            denials,
        }
    }

    fn count(&self, request: &ObservedRequest<'_>) {
        self.requests.increment(1);
        self.denials.increment(1);
        self.decision.record(request.latency());
        if request.cost() > 0 {
            self.cost.increment(request.cost().into());
        }
    }
}

impl From<SeriesOf<'_>> for SeriesName {
    fn from(name: SeriesOf<'_>) -> Self {
        let SeriesOf { vendor, route, decision, denial } = name;
        Self { vendor: vendor.into(), route: route.into(), decision, denial }
    }
}

impl Equivalent<SeriesName> for SeriesOf<'_> {
    fn equivalent(&self, name: &SeriesName) -> bool {
        self.decision == name.decision
            && self.route == &*name.route
            && self.vendor == &*name.vendor
            && self.denial == name.denial
    }
}
