//! The metrics of a cache.

use std::fmt;

use metrics::{Counter, Histogram, counter, histogram};

use super::metric::Metric;
use crate::store::{CacheAnswer, CacheObserver};

/// Counts how a [`Cached`](crate::store::Cached) store answers lookups, by the [`metrics`] facade.
///
/// Create it after your recorder is installed, because it keeps its handles. [`MetricsObserver`](super::MetricsObserver)
/// counts requests.
///
/// ```
/// use tower_api_key::store::{Cached, MemoryStore};
/// use tower_api_key::telemetry::CacheMetrics;
///
/// let store = Cached::builder(MemoryStore::new()).observer(CacheMetrics::new()).build();
/// ```
pub struct CacheMetrics {
    hits: Counter,
    unknown: Counter,
    misses: Counter,
    old: Counter,
    age: Histogram,
}

impl CacheMetrics {
    /// Describes the metrics to the recorder, and begins the counts at zero.
    pub fn new() -> Self {
        let [lookups, age] = Metric::OF_CACHES;
        [lookups, age].iter().for_each(Metric::describe);
        let lookups = |answer| {
            let lookups = counter!(lookups.name(), "answer" => answer);
            lookups.increment(0);
            lookups
        };
        Self {
            hits: lookups("hit"),
            unknown: lookups("unknown"),
            misses: lookups("miss"),
            old: lookups("old"),
            age: histogram!(age.name()),
        }
    }
}

impl CacheObserver for CacheMetrics {
    fn answered(&self, answer: CacheAnswer) {
        let lookups = match answer {
            CacheAnswer::Hit { .. } => &self.hits,
            CacheAnswer::Unknown => &self.unknown,
            CacheAnswer::Miss => &self.misses,
            CacheAnswer::Old { .. } => &self.old,
        };
        lookups.increment(1);
        if let Some(age) = answer.age() {
            self.age.record(age);
        }
    }
}

impl Default for CacheMetrics {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for CacheMetrics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CacheMetrics")
    }
}
