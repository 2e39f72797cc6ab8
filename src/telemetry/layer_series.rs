//! The series of one layer's requests: a handle for each that has occurred.

use std::sync::OnceLock;

use hashbrown::HashMap;
use metrics::{Counter, Histogram, counter, histogram};

use super::metric::Metric;
use crate::decision::{
    ObservedRequest, ObservedWait, Policy, RequestCounter, RequestDecision, WaitOutcome, WaitTarget,
};
use crate::error::Denial;

const DECISIONS: usize = RequestDecision::ALL.len();
const TARGETS: usize = WaitTarget::ALL.len();
const OUTCOMES: usize = WaitOutcome::ALL.len();

/// The handles of one layer's series. A lookup by labels in a recorder takes as long as a tenth of a request, so a layer
/// asks for each of its series once.
pub(super) struct LayerSeries {
    /// By route and decision. The first row is that of requests without a route.
    requests: Box<[[OnceLock<RequestSeries>; DECISIONS]]>,
    /// By the name of the denial.
    denials: HashMap<&'static str, OnceLock<Counter>>,
    /// By target and outcome.
    waits: [[OnceLock<Histogram>; OUTCOMES]; TARGETS],
}

/// The handles for requests of one route with one decision.
struct RequestSeries {
    requests: Counter,
    cost: Counter,
    decision: Histogram,
}

impl LayerSeries {
    /// Makes room for the series of a layer.
    pub(super) fn new(policy: &Policy) -> Self {
        let rows = policy.routes() + 1;
        let kinds = Denial::each_kind();
        Self {
            requests: (0..rows).map(|_| Default::default()).collect(),
            denials: kinds.iter().map(|kind| (kind.name(), OnceLock::new())).collect(),
            waits: Default::default(),
        }
    }
}

impl RequestCounter for LayerSeries {
    fn count(&self, request: &ObservedRequest<'_>) {
        let row = self.requests.get(request.route.map_or(0, |index| index + 1));
        let series = row.and_then(|row| row.get(request.decision() as usize));
        if let Some(series) = series {
            series.get_or_init(|| RequestSeries::of(request)).count(request);
        }
        if let Some(denial) = request.denial()
            && let Some(denials) = self.denials.get(denial.name())
        {
            denials.get_or_init(|| denials_of(request, denial)).increment(1);
        }
    }

    fn record(&self, wait: &ObservedWait<'_>) {
        let row = self.waits.get(wait.target() as usize);
        let series = row.and_then(|row| row.get(wait.outcome() as usize));
        if let Some(series) = series {
            series.get_or_init(|| waits_of(wait)).record(wait.time());
        }
    }
}

impl RequestSeries {
    fn of(request: &ObservedRequest<'_>) -> Self {
        let vendor = request.vendor().to_owned();
        let route = request.route().unwrap_or_default().to_owned();
        let decision = request.decision().name();
        Self {
            requests: counter!(
                Metric::REQUESTS.name(),
                "vendor" => vendor.clone(), "http.route" => route.clone(), "decision" => decision,
            ),
            decision: histogram!(
                Metric::DECISION.name(), "vendor" => vendor.clone(), "decision" => decision,
            ),
            cost: counter!(Metric::COST.name(), "vendor" => vendor, "http.route" => route),
        }
    }

    fn count(&self, request: &ObservedRequest<'_>) {
        self.requests.increment(1);
        if request.has_waited() {
            self.decision.record(request.latency());
        }
        if request.cost() > 0 {
            self.cost.increment(request.cost().into());
        }
    }
}

fn denials_of(request: &ObservedRequest<'_>, denial: &Denial) -> Counter {
    let vendor = request.vendor().to_owned();
    counter!(Metric::DENIALS.name(), "vendor" => vendor, "reason" => denial.name())
}

fn waits_of(wait: &ObservedWait<'_>) -> Histogram {
    let (vendor, target) = (wait.vendor().to_owned(), wait.target().name());
    let outcome = wait.outcome().name();
    histogram!(Metric::WAIT.name(), "vendor" => vendor, "target" => target, "outcome" => outcome)
}
