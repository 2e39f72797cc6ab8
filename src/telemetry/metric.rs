//! The metrics: their names, kinds and labels.

/// One metric of this crate.
///
/// ```
/// use tower_api_key::telemetry::Metric;
///
/// for metric in Metric::all() {
///     println!("{} {:?}: {}", metric.name(), metric.labels(), metric.help());
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    name: &'static str,
    kind: MetricKind,
    labels: &'static [&'static str],
    help: &'static str,
}

/// The kind of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MetricKind {
    /// A number that only grows.
    Counter,
    /// A number that can grow and shrink.
    Gauge,
    /// The distribution of durations, in seconds.
    Histogram,
}

impl Metric {
    pub(super) const REQUESTS: Self = Self::counter(
        "tower_api_key_requests_total",
        &["vendor", "http.route", "decision"],
        "Requests, by what the gate decided.",
    );
    pub(super) const DENIALS: Self = Self::counter(
        "tower_api_key_denials_total",
        &["vendor", "reason"],
        "Refused requests, by the name of the denial.",
    );
    pub(super) const COST: Self = Self::counter(
        "tower_api_key_cost_total",
        &["vendor", "http.route"],
        "What admitted requests were charged, in the units of the routes' costs.",
    );
    pub(super) const DECISION: Self = Self::histogram(
        "tower_api_key_decision_duration_seconds",
        &["vendor", "decision"],
        "The time of decisions that had to wait.",
    );
    pub(super) const WAIT: Self = Self::histogram(
        "tower_api_key_wait_duration_seconds",
        &["vendor", "target", "outcome"],
        "The time that a request waited for the store, the limiter or a permit. Answers from memory do not count.",
    );
    pub(super) const STORE_FAILURES: Self = Self::counter(
        "tower_api_key_store_failures_total",
        &[],
        "Lookups that the store could not answer. Their requests were refused.",
    );
    pub(super) const LIMITER_FAILURES: Self = Self::counter(
        "tower_api_key_limiter_failures_total",
        &["limiter", "fallback"],
        "Questions that a limiter could not answer, by what the gate did instead.",
    );
    pub(super) const EXPOSED_KEYS: Self = Self::counter(
        "tower_api_key_exposed_keys_total",
        &[],
        "Reports of a key that came over plain HTTP, at most 60 an hour for a network.",
    );
    pub(super) const USED_ELSEWHERE: Self = Self::counter(
        "tower_api_key_keys_used_elsewhere_total",
        &[],
        "Reports of a key that was used outside of its allowlist, at most 60 an hour for a key.",
    );
    pub(super) const REFUSED_NETWORKS: Self = Self::counter(
        "tower_api_key_refused_networks_total",
        &[],
        "Networks that have used up their failed attempts.",
    );
    pub(super) const SHADOW_REFUSALS: Self = Self::counter(
        "tower_api_key_shadow_refusals_total",
        &[],
        "Refusals that quotas in shadow would have made.",
    );
    pub(super) const REFUNDS: Self = Self::counter(
        "tower_api_key_refunded_cost_total",
        &[],
        "What was given back of costs, in the units of the routes' costs.",
    );

    const CACHE_LOOKUPS: Self = Self::counter(
        "tower_api_key_cache_lookups_total",
        &["answer"],
        "Lookups in the cache, by how it answered.",
    );
    const CACHE_AGE: Self = Self::histogram(
        "tower_api_key_cache_age_seconds",
        &[],
        "The time since it was last proven that a record from the cache is up to date.",
    );
    const REPLICA_AGE: Self = Self::gauge(
        "tower_api_key_replica_age_seconds",
        "The time since it was last proven that the replica is up to date, or since it began.",
    );
    const REPLICA_KEYS: Self = Self::gauge("tower_api_key_replica_keys", "Keys in the replica.");
    const REPLICA_FAILING: Self = Self::gauge(
        "tower_api_key_replica_failing",
        "1 if the last question of the replica to its store failed, or else 0.",
    );

    /// The metrics of caches: how they answer, and how old records are.
    #[cfg_attr(not(feature = "cache"), allow(dead_code))]
    pub(super) const OF_CACHES: [Self; 2] = [Self::CACHE_LOOKUPS, Self::CACHE_AGE];

    /// The metrics of replicas: their age, their keys, and whether they fail.
    #[cfg_attr(not(feature = "replica"), allow(dead_code))]
    pub(super) const OF_REPLICAS: [Self; 3] =
        [Self::REPLICA_AGE, Self::REPLICA_KEYS, Self::REPLICA_FAILING];

    /// The metrics of [`MetricsObserver`](super::MetricsObserver).
    pub(super) const OF_REQUESTS: &'static [Self] = &[
        Self::REQUESTS,
        Self::DENIALS,
        Self::COST,
        Self::DECISION,
        Self::WAIT,
        Self::STORE_FAILURES,
        Self::LIMITER_FAILURES,
        Self::EXPOSED_KEYS,
        Self::USED_ELSEWHERE,
        Self::REFUSED_NETWORKS,
        Self::SHADOW_REFUSALS,
        Self::REFUNDS,
    ];

    /// Lists all metrics of this crate. `tower-api-key-redis` has its own.
    pub fn all() -> impl Iterator<Item = Self> {
        let requests = Self::OF_REQUESTS.iter().copied();
        requests.chain(Self::OF_CACHES).chain(Self::OF_REPLICAS)
    }

    const fn counter(
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self { name, kind: MetricKind::Counter, labels, help }
    }

    const fn gauge(name: &'static str, help: &'static str) -> Self {
        Self { name, kind: MetricKind::Gauge, labels: &[], help }
    }

    const fn histogram(
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self { name, kind: MetricKind::Histogram, labels, help }
    }

    /// Returns the name, as the recorder gets it. It is a valid name of Prometheus.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the kind.
    pub const fn kind(&self) -> MetricKind {
        self.kind
    }

    /// Returns the names of the labels. An exporter for Prometheus writes `http.route` as `http_route`.
    pub const fn labels(&self) -> &'static [&'static str] {
        self.labels
    }

    /// Returns what the metric counts or measures.
    pub const fn help(&self) -> &'static str {
        self.help
    }

    /// Describes the metric to the recorder.
    pub(super) fn describe(&self) {
        match self.kind {
            MetricKind::Counter => metrics::describe_counter!(self.name, self.help),
            MetricKind::Gauge => metrics::describe_gauge!(self.name, self.help),
            MetricKind::Histogram => {
                metrics::describe_histogram!(self.name, metrics::Unit::Seconds, self.help);
            }
        }
    }
}
