//! The observer that logs failures only.

use super::tracing_observer::TracingObserver;
use crate::error::{LimiterError, StoreError};
use crate::limits::LimiterFallback;
use crate::service::Observer;

/// Logs each failure of a store or a limiter at WARN with its cause, as [`TracingObserver`] does, and no request.
///
/// For a gate that does not log its requests: when it answers 503, the log says why. An admitted request costs nothing
/// more.
///
/// ```
/// use tower_api_key::telemetry::FailureLog;
/// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
///
/// let builder = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new());
/// let layer = builder.observer(FailureLog::new()).build()?;
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct FailureLog(TracingObserver);

impl FailureLog {
    /// Creates the observer. It logs to the subscriber that is in force where the gate is called.
    pub const fn new() -> Self {
        Self(TracingObserver::new())
    }
}

impl Observer for FailureLog {
    fn store_failed(&self, error: &StoreError) {
        self.0.store_failed(error);
    }

    fn limiter_failed(&self, error: &LimiterError, fallback: LimiterFallback) {
        self.0.limiter_failed(error, fallback);
    }

    fn concurrency_failed(&self, error: &LimiterError, fallback: LimiterFallback) {
        self.0.concurrency_failed(error, fallback);
    }
}
