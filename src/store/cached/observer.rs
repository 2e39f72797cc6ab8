//! The observer of a cache.

use std::time::Duration;

/// Receives how a cache answers lookups, for example to count hits and misses.
///
/// The cache calls it on the request's task, so it must return at once.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use tower_api_key::store::{CacheAnswer, CacheObserver, Cached, MemoryStore};
///
/// struct Misses(AtomicU64);
///
/// impl CacheObserver for Misses {
///     fn answered(&self, answer: CacheAnswer) {
///         if answer == CacheAnswer::Miss {
///             self.0.fetch_add(1, Ordering::Relaxed);
///         }
///     }
/// }
///
/// let store = Cached::builder(MemoryStore::new()).observer(Misses(AtomicU64::new(0))).build();
/// ```
pub trait CacheObserver: Send + Sync + 'static {
    /// Called when the cache has answered a lookup, or asks the store for it.
    fn answered(&self, answer: CacheAnswer);
}

/// How a cache answers a lookup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CacheAnswer {
    /// From memory.
    Hit {
        /// The time since it was last proven that the record is up to date.
        age: Duration,
    },
    /// From memory: the secret is unknown.
    Unknown,
    /// The lookup waits for the store.
    Miss,
    /// From memory, with a record that is older than the staleness, because the store could not answer. If the lookup
    /// has waited for the store, it was a [`Miss`](Self::Miss) before.
    Old {
        /// The time since it was last proven that the record is up to date.
        age: Duration,
    },
}

impl CacheAnswer {
    /// Returns the name of the answer, for logs and metrics: `hit`, `unknown`, `miss` or `old`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hit { .. } => "hit",
            Self::Unknown => "unknown",
            Self::Miss => "miss",
            Self::Old { .. } => "old",
        }
    }

    /// Returns the age of the record, if the answer has one.
    pub const fn age(self) -> Option<Duration> {
        match self {
            Self::Hit { age } | Self::Old { age } => Some(age),
            Self::Unknown | Self::Miss => None,
        }
    }
}
