//! The series of requests: one for each vendor, route pattern, decision and denial that has occurred.

use std::sync::Arc;

use arc_swap::ArcSwap;
use hashbrown::HashMap;
use metrics::{Counter, Histogram, counter, histogram};

use super::metric::Metric;
use crate::decision::{ObservedRequest, RequestDecision};
use crate::error::Denial;

/// The most series that are kept. A layer that is built after another one begins series of its own, with the same
/// handles, so a process that often reloads would collect them.
const MOST: usize = 10_000;

/// The handles of all series so far. A request takes no lock: a new series copies the table.
#[derive(Default)]
pub(super) struct RequestSeriesTable(ArcSwap<HashMap<SeriesName, RequestSeries>>);

/// What tells series apart. It stands for names, which take longer to hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct SeriesName {
    gate: u64,
    /// The index of the route, plus one. 0 without a route.
    route: usize,
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
        let name = SeriesName {
            gate: request.gate,
            route: request.route.map_or(0, |index| index + 1),
            decision: request.decision(),
            denial: request.denial().map(Denial::name),
        };
        if let Some(series) = self.0.load().get(&name) {
            return series.count(request);
        }
        self.add(name, request).count(request);
    }

    #[cold]
    fn add(&self, name: SeriesName, request: &ObservedRequest<'_>) -> RequestSeries {
        let series = RequestSeries::of(request);
        self.0.rcu(|table| {
            let mut table = HashMap::clone(table);
            if table.len() >= MOST {
                table.clear();
            }
            table.insert(name, series.clone());
            Arc::new(table)
        });
        series
    }
}

impl RequestSeries {
    fn of(request: &ObservedRequest<'_>) -> Self {
        let vendor = request.vendor().to_owned();
        let route = request.route().unwrap_or_default().to_owned();
        let decision = request.decision().name();
        let denials = request.denial().map_or_else(Counter::noop, |denial| {
            let reason = denial.name();
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
        if request.has_waited() {
            self.decision.record(request.latency());
        }
        if request.cost() > 0 {
            self.cost.increment(request.cost().into());
        }
    }
}
