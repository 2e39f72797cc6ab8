//! The observer that counts.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use metrics::counter;

use super::layer_series::LayerSeries;
use super::metric::Metric;
use crate::caller::ClientNetwork;
use crate::decision::{ObservedRequest, ObservedWait, RequestEnd};
use crate::error::{LimiterError, StoreError};
use crate::key::{KeyDigest, KeyRecord};
use crate::limits::LimiterFallback;
use crate::service::Observer;

/// Counts requests, refusals, waits and failures, by the [`metrics`] facade. [`Metric::all`] lists the metrics.
///
/// Install your recorder first, and create the observer after that. For Prometheus it is `PrometheusBuilder` of
/// `metrics-exporter-prometheus`. Set no idle timeout there: a layer keeps its handles.
///
/// Several layers may have an observer each, or clones of one. They count together.
///
/// Labels have few values: the name of the profile, the pattern of the route, and closed lists. The label `http.route` is
/// empty for a request that the gate refused before it looked for the route.
///
/// ```
/// use tower_api_key::telemetry::MetricsObserver;
/// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
///
/// let builder = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new());
/// let layer = builder.observer(MetricsObserver::new()).build()?;
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct MetricsObserver(());

impl MetricsObserver {
    /// Describes all metrics to the recorder, and begins those without labels of your own at zero.
    pub fn new() -> Self {
        Metric::OF_REQUESTS.iter().for_each(Metric::describe);
        for metric in Metric::OF_REQUESTS.iter().filter(|metric| metric.labels().is_empty()) {
            counter!(metric.name()).increment(0);
        }
        for limiter in [REQUESTS, SIMULTANEOUS] {
            for fallback in LimiterFallback::ALL {
                count_failure(limiter, fallback, 0);
            }
        }
        Self(())
    }
}

/// The label of the limiter that counts requests.
const REQUESTS: &str = "requests";

/// The label of the limiter of simultaneous requests.
const SIMULTANEOUS: &str = "simultaneous";

fn count_failure(limiter: &'static str, fallback: LimiterFallback, number: u64) {
    let name = Metric::LIMITER_FAILURES.name();
    counter!(name, "limiter" => limiter, "fallback" => fallback.name()).increment(number);
}

fn count(metric: Metric) {
    counter!(metric.name()).increment(1);
}

impl Observer for MetricsObserver {
    fn observes_requests(&self) -> bool {
        true
    }

    fn observes_admissions(&self) -> bool {
        false
    }

    fn observes_latencies(&self) -> bool {
        false
    }

    fn ended(&self, request: &ObservedRequest<'_>, _: RequestEnd) {
        request.counter.get_or_init(|| Box::new(LayerSeries::new(request.policy))).count(request);
    }

    fn waited(&self, wait: &ObservedWait<'_>) {
        wait.counter.get_or_init(|| Box::new(LayerSeries::new(wait.policy))).record(wait);
    }

    fn would_refuse(&self, _: &KeyRecord, _: &str) {
        count(Metric::SHADOW_REFUSALS);
    }

    fn would_refuse_anonymous(&self, _: &ClientNetwork, _: &str) {
        count(Metric::SHADOW_REFUSALS);
    }

    fn refunded(&self, _: &KeyRecord, cost: u32) {
        counter!(Metric::REFUNDS.name()).increment(cost.into());
    }

    fn refunded_anonymous(&self, _: &ClientNetwork, cost: u32) {
        counter!(Metric::REFUNDS.name()).increment(cost.into());
    }

    fn key_exposed(&self, _: &KeyDigest) {
        count(Metric::EXPOSED_KEYS);
    }

    fn key_used_elsewhere(&self, _: &KeyRecord, _: Option<IpAddr>) {
        count(Metric::USED_ELSEWHERE);
    }

    fn network_refused(&self, _: IpAddr, _: Duration) {
        count(Metric::REFUSED_NETWORKS);
    }

    fn store_failed(&self, _: &StoreError) {
        count(Metric::STORE_FAILURES);
    }

    fn concurrency_failed(&self, _: &LimiterError, fallback: LimiterFallback) {
        count_failure(SIMULTANEOUS, fallback, 1);
    }

    fn limiter_failed(&self, _: &LimiterError, fallback: LimiterFallback) {
        count_failure(REQUESTS, fallback, 1);
    }
}

impl Default for MetricsObserver {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MetricsObserver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MetricsObserver")
    }
}
