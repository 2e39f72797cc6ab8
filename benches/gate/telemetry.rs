//! Accepting with metrics on, to accepting with metrics off: a recorder for Prometheus is installed, and the observer
//! counts each request and its latencies.

use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusBuilder;
use tower_api_key::limits::MemoryLimiter;

use crate::feed::{accepting, feed};
use crate::harness::interleave;
use crate::report::{Report, Target};
use crate::subject::{Extras, Fast, Gate, Keys, PROFILE, bearer, builder, guarded, routes};

const ROUNDS: usize = 120;
const OPERATIONS: usize = 4096;
const HOT_SPEED: u64 = 20_000;

pub(crate) fn measure(report: &mut Report, keys: &Keys) {
    let recorder = PrometheusBuilder::new().build_recorder();
    let shown = recorder.handle();
    metrics::set_global_recorder(recorder).expect("the only recorder of this process");
    let limiter = Arc::new(MemoryLimiter::new());
    // One clock for both: to their limiter another one would seem to be set back.
    let clock = Fast::new(HOT_SPEED);
    let over = |extras| -> Gate {
        let limiter = Arc::clone(&limiter);
        let builder = builder(clock, &PROFILE, keys.store.clone(), limiter, extras);
        guarded(builder.routes(routes()))
    };
    let hot = keys.hot();
    let (mut observed, mut silent) = (over(Extras::Metrics), over(Extras::Grant));
    let cases = vec![
        accepting("metrics on", &mut observed, feed(&hot, bearer)),
        accepting("metrics off", &mut silent, feed(&hot, bearer)),
    ];
    let series = interleave(cases, ROUNDS, OPERATIONS);
    let [on, off] = &series[..] else { panic!("one series a case") };
    let text = shown.render();
    assert!(text.contains("/v1/users"), "the requests were counted by their route");
    report.note("telemetry: metrics on", on.nanoseconds(), "ns");
    report.hold(
        "telemetry: metrics on to off, 64 hot keys",
        on.times(off),
        "times",
        Target::AtMost(1.10),
    );
}
