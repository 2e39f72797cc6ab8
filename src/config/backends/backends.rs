//! The store and the limiters of a front door.

use std::sync::Arc;

use crate::concurrency::ConcurrencyLimiter;
use crate::limits::{Limiter, MemoryLimiter};
use crate::store::{KeyStore, MemoryStore, Rehasher};

/// The store and the limiters that a front door works with.
///
/// ```
/// use tower_api_key::config::{Backends, FileFormat, FrontDoor};
/// use tower_api_key::limits::MemoryLimiter;
/// use tower_api_key::store::MemoryStore;
///
/// let file = "limiter.url = \"memory:\"\nprofile.base = \"persona\"\n";
/// let door = FrontDoor::parse("gate.toml", file, FileFormat::Toml)?;
/// let backends = Backends::new(MemoryStore::new()).limiter(MemoryLimiter::new());
/// let layer = door.builder(&backends).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Backends {
    pub(in crate::config) store: Arc<dyn KeyStore>,
    pub(in crate::config) limiter: Option<Arc<dyn Limiter>>,
    pub(in crate::config) concurrency: Option<Arc<dyn ConcurrencyLimiter>>,
    pub(in crate::config) rehasher: Option<Rehasher>,
}

impl Backends {
    /// Starts with a store.
    pub fn new(store: impl KeyStore) -> Self {
        Self { store: Arc::new(store), limiter: None, concurrency: None, rehasher: None }
    }

    /// Sets what counts requests, and failed attempts if the file's `failed_attempts` has `shared_on_failure`. Without a
    /// limiter, a layer of such a file is not built.
    pub fn limiter(self, limiter: impl Limiter) -> Self {
        Self { limiter: Some(Arc::new(limiter)), ..self }
    }

    /// Sets what counts simultaneous requests, in place of the gate's own, which counts in this process.
    pub fn concurrency(self, limiter: impl ConcurrencyLimiter) -> Self {
        Self { concurrency: Some(Arc::new(limiter)), ..self }
    }

    /// Sets what gives keys their digests by the current pepper, if the file has `peppers`.
    pub fn rehasher(self, rehasher: &Rehasher) -> Self {
        Self { rehasher: Some(rehasher.clone()), ..self }
    }

    /// Creates backends in memory, with no key: a front door can be checked with them.
    pub(in crate::config) fn in_memory() -> Self {
        Self::new(MemoryStore::new()).limiter(MemoryLimiter::new())
    }
}

impl std::fmt::Debug for Backends {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Backends").finish_non_exhaustive()
    }
}
