//! The metrics of a replica.

use std::time::Duration;

use metrics::{Gauge, gauge};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::metric::Metric;
use crate::store::{ReplicaGauge, ReplicaState};

/// Publishes the state of a [`Replica`](crate::store::Replica), by the [`metrics`] facade.
///
/// Create it after your recorder is installed, because it keeps its handles.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::store::{KeyFeed, Replica};
/// use tower_api_key::telemetry::ReplicaMetrics;
///
/// fn watch(replica: &Replica<impl KeyFeed>) {
///     tokio::spawn(ReplicaMetrics::new().publish(replica.gauge(), Duration::from_secs(5)));
/// }
/// ```
#[derive(Debug)]
pub struct ReplicaMetrics {
    age: Gauge,
    keys: Gauge,
    failing: Gauge,
}

impl ReplicaMetrics {
    /// Describes the metrics to the recorder.
    pub fn new() -> Self {
        let [age, keys, failing] = Metric::OF_REPLICAS;
        [age, keys, failing].iter().for_each(Metric::describe);
        Self { age: gauge!(age.name()), keys: gauge!(keys.name()), failing: gauge!(failing.name()) }
    }

    /// Publishes the state of a replica, at once and then each period, until the replica is dropped. Before the first copy,
    /// the age counts from this call.
    ///
    /// The period should be shorter than that of your scrapes. A period of zero counts as one millisecond.
    pub async fn publish(self, replica: ReplicaGauge, period: Duration) {
        let began = Instant::now();
        let mut ticks = interval(period.max(Duration::from_millis(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let Some(state) = replica.read() else { return };
            self.set(state, began.elapsed());
        }
    }

    #[allow(clippy::cast_precision_loss)] // No table has 2^53 keys.
    fn set(&self, state: ReplicaState, uncopied_for: Duration) {
        self.age.set(state.age.unwrap_or(uncopied_for).as_secs_f64());
        self.keys.set(state.keys as f64);
        self.failing.set(f64::from(u8::from(state.is_failing)));
    }
}

impl Default for ReplicaMetrics {
    fn default() -> Self {
        Self::new()
    }
}
