//! The layer that serves now.

use std::sync::Arc;

use crate::service::shared::{PerGate, Shared, SharedHandle};
use crate::sync::{ArcSwap, Mutex, STRIPES, lock, stripe};

/// The layer that serves now. All gates of a reloadable layer share it.
pub(super) struct CurrentLayer {
    shared: ArcSwap<StripedShared>,
    /// Held while the layer is replaced, and while one is built after the current one.
    reloading: Mutex<()>,
}

/// The state of a layer, with a reference count for each stripe of threads. A single count would bounce between the
/// threads.
struct StripedShared {
    shared: Arc<Shared>,
    stripes: [Arc<PerGate>; STRIPES],
}

impl StripedShared {
    fn new(shared: Arc<Shared>) -> Self {
        let stripes = [(); STRIPES].map(|()| PerGate::new(&shared));
        Self { shared, stripes }
    }
}

impl CurrentLayer {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let shared = ArcSwap::from_pointee(StripedShared::new(shared));
        Self { shared, reloading: Mutex::new(()) }
    }

    /// Returns a handle of the current layer's state, for one request.
    pub(super) fn share(&self) -> SharedHandle {
        let current = self.shared.load();
        let [first, ..] = &current.stripes;
        SharedHandle::of(current.stripes.get(stripe()).unwrap_or(first))
    }

    /// Returns the current layer's state.
    pub(super) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared.load().shared)
    }

    /// Replaces the state. Returns the state before it. Waits for a reload under way, which would undo this otherwise.
    pub(super) fn replace(&self, shared: Arc<Shared>) -> Arc<Shared> {
        let _reloading = lock(&self.reloading);
        self.swap(shared)
    }

    fn swap(&self, shared: Arc<Shared>) -> Arc<Shared> {
        Arc::clone(&self.shared.swap(Arc::new(StripedShared::new(shared))).shared)
    }

    /// Replaces the state by one that is made of it. Of several calls, each waits for the one before it.
    ///
    /// # Errors
    ///
    /// The error of `make`. The state then stays as it is.
    pub(super) fn reload<E>(
        &self,
        make: impl FnOnce(Arc<Shared>) -> Result<Arc<Shared>, E>,
    ) -> Result<(), E> {
        let _reloading = lock(&self.reloading);
        let made = make(self.shared())?;
        self.swap(made);
        Ok(())
    }
}
