//! The recorder of the process, which the front door counts with if the file has `telemetry.metrics`.

use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};

/// The buckets of all histograms, in seconds: from 10 µs, which a decision in memory takes, to
/// 10 s. Records of a cache are up to 5 s old.
const BUCKETS: [f64; 14] = [
    0.000_01, 0.000_025, 0.000_1, 0.000_25, 0.001, 0.002_5, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 5.0,
    10.0,
];

/// How often histograms are summed up if no scrape does it.
const UPKEEP: Duration = Duration::from_secs(5);

static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// Installs the recorder of the process, before the file is read. Call it on the runtime.
///
/// # Errors
///
/// [`BuildError`] if the process has a recorder already.
pub fn record() -> Result<(), BuildError> {
    let handle = PrometheusBuilder::new().set_buckets(&BUCKETS)?.install_recorder()?;
    let upkeep = handle.clone();
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(UPKEEP);
        loop {
            ticks.tick().await;
            upkeep.run_upkeep();
        }
    });
    RECORDER.get_or_init(|| handle);
    Ok(())
}

/// Renders the metrics in the text format of Prometheus. `None` without a recorder.
pub(crate) fn scrape() -> Option<String> {
    RECORDER.get().map(PrometheusHandle::render)
}
