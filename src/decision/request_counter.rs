//! What counts the requests of one layer for metrics.

use std::sync::OnceLock;

use super::observed_request::ObservedRequest;
use super::observed_wait::ObservedWait;

/// Counts the requests of one layer, and their waits.
#[cfg_attr(not(feature = "metrics"), expect(dead_code, reason = "metrics alone count requests"))]
pub(crate) trait RequestCounter: Send + Sync {
    /// Counts a request that has ended.
    fn count(&self, request: &ObservedRequest<'_>);

    /// Records a wait that has ended.
    fn record(&self, wait: &ObservedWait<'_>);
}

/// The counter of a layer. Its first request makes it, and it ends with the layer. So a request finds its series
/// by its route and decision alone, and a process that often reloads collects none.
pub(crate) type CounterOfLayer = OnceLock<Box<dyn RequestCounter>>;
