//! What counts the requests of one layer for metrics.

use std::sync::OnceLock;

use super::observed_request::ObservedRequest;

/// Counts the requests of one layer.
pub(crate) trait RequestCounter: Send + Sync {
    /// Counts a request that has ended.
    #[cfg_attr(not(feature = "metrics"), expect(dead_code, reason = "metrics alone count requests"))]
    fn count(&self, request: &ObservedRequest<'_>);
}

/// The counter of a layer. The first observed request makes it, and it ends with the layer. So a request finds its series
/// by its route and decision alone, and a process that often reloads collects none.
pub(crate) type CounterOfLayer = OnceLock<Box<dyn RequestCounter>>;
