//! Observers that report what a gate does: [`TracingObserver`] as events, [`MetricsObserver`] as metrics.
//!
//! This module guards what an operator sees. No event and no label holds a key, a header value or a path. Labels have
//! few values: names of your profiles, your route patterns, and closed lists of this crate. `docs/telemetry.md` lists
//! all fields, metrics and labels.
//!
//! # Deployment
//!
//! Add both observers to the builder, beside your own. Install the subscriber of `tracing` and the recorder of `metrics`
//! before the server starts.

#[cfg(all(feature = "cache", feature = "metrics"))]
mod cache_metrics;
#[cfg(feature = "tracing")]
mod failure_log;
#[cfg(feature = "metrics")]
mod layer_series;
#[cfg(feature = "metrics")]
mod metric;
#[cfg(feature = "metrics")]
mod metrics_observer;
#[cfg(all(feature = "metrics", feature = "replica"))]
mod replica_metrics;
#[cfg(feature = "tracing")]
mod tracing_observer;

#[cfg(all(feature = "cache", feature = "metrics"))]
pub use cache_metrics::CacheMetrics;
#[cfg(feature = "tracing")]
pub use failure_log::FailureLog;
#[cfg(feature = "metrics")]
pub use metric::{Metric, MetricKind};
#[cfg(feature = "metrics")]
pub use metrics_observer::MetricsObserver;
#[cfg(all(feature = "metrics", feature = "replica"))]
pub use replica_metrics::ReplicaMetrics;
#[cfg(feature = "tracing")]
pub use tracing_observer::TracingObserver;
