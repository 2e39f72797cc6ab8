//! The numbers of charges that a limiter could not answer.

use std::sync::atomic::{AtomicU64, Ordering};

use super::limiter_fallback::LimiterFallback;

/// The numbers of charges that the limiter could not answer, since the layer was built. A layer that is
/// [reloaded](../reload/index.html#what-survives) counts on.
///
/// A request counts once. It counts once more if its cost changed while the limiter could not answer.
///
/// ```
/// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
///
/// let layer = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new()).build()?;
/// let failures = layer.limiter_failures();
/// println!("limiter_failures_total{{outcome=\"denied\"}} {}", failures.denied);
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct LimiterFailures {
    /// The requests that the gate refused with 503.
    pub denied: u64,
    /// The requests that passed uncounted.
    pub allowed: u64,
    /// The requests that the gate counted in this process alone.
    pub local: u64,
    /// The refunds that the limiter could not make.
    pub not_refunded: u64,
}

/// Counts the fallbacks.
#[derive(Debug, Default)]
pub(crate) struct FailureCounts {
    denied: AtomicU64,
    allowed: AtomicU64,
    local: AtomicU64,
    not_refunded: AtomicU64,
}

impl FailureCounts {
    /// Adds 1 to the count of this fallback.
    pub(crate) fn count(&self, fallback: LimiterFallback) {
        let count = match fallback {
            LimiterFallback::Denied => &self.denied,
            LimiterFallback::Allowed => &self.allowed,
            LimiterFallback::Local => &self.local,
            LimiterFallback::NotRefunded => &self.not_refunded,
            LimiterFallback::Immaterial => return,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the counts so far.
    pub(crate) fn so_far(&self) -> LimiterFailures {
        LimiterFailures {
            denied: self.denied.load(Ordering::Relaxed),
            allowed: self.allowed.load(Ordering::Relaxed),
            local: self.local.load(Ordering::Relaxed),
            not_refunded: self.not_refunded.load(Ordering::Relaxed),
        }
    }
}
