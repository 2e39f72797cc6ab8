//! The handle that replaces a layer.

use std::fmt;
use std::sync::Arc;

use super::current::CurrentLayer;
use crate::service::layer::ApiKeyLayer;

/// A handle that replaces the layer of a [`ReloadableLayer`](super::ReloadableLayer) while it serves. Clones replace
/// the same layer. [The module's page](super) has an example, and says what survives.
#[derive(Clone)]
pub struct ReloadHandle {
    current: Arc<CurrentLayer>,
}

impl ReloadHandle {
    pub(super) const fn new(current: Arc<CurrentLayer>) -> Self {
        Self { current }
    }

    /// Returns the layer that serves now, for example to [explain](ApiKeyLayer::explain) its decisions. The layer does
    /// not change when it is replaced.
    pub fn current(&self) -> ApiKeyLayer {
        ApiKeyLayer::new(self.current.shared())
    }

    /// Replaces the layer. Returns the layer before it.
    ///
    /// Each request that comes after this call is decided by the new layer. Requests that came before are finished
    /// under the old one.
    ///
    /// While [`reload`](Self::reload) builds a layer, the call waits for it, so a reload never undoes a later
    /// replacement. The closure of a `reload` must not call `replace` of the same layer, because the two would wait
    /// forever.
    ///
    /// Build the new layer with [`build_after`](crate::ApiKeyLayerBuilder::build_after). Otherwise failed attempts
    /// and permits in memory start anew.
    pub fn replace(&self, layer: ApiKeyLayer) -> ApiKeyLayer {
        ApiKeyLayer::new(self.current.replace(layer.shared))
    }

    /// Replaces the layer by one that `build` makes after the current layer.
    ///
    /// Calls from several threads run one after the other, each after the layer of the one before it. So `build` must
    /// not call `reload` or `replace` of the same layer: it would wait forever. If building has to wait, use [`current`](Self::current) and
    /// [`replace`](Self::replace).
    ///
    /// # Errors
    ///
    /// The error of `build`. The current layer then serves on.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use tower_api_key::reload::ReloadableLayer;
    /// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
    ///
    /// let store = Arc::new(MemoryStore::new());
    /// let builder = || ApiKeyLayer::builder(Profile::STANDARD, Arc::clone(&store));
    /// let (layer, handle) = ReloadableLayer::new(builder().build()?);
    ///
    /// let refused = handle.reload(|previous| builder().environment("").build_after(previous));
    /// assert!(refused.is_err()); // and the first layer serves
    /// handle.reload(|previous| builder().environment("live").build_after(previous))?;
    /// # Ok::<(), tower_api_key::ConfigError>(())
    /// ```
    pub fn reload<E>(
        &self,
        build: impl FnOnce(&ApiKeyLayer) -> Result<ApiKeyLayer, E>,
    ) -> Result<(), E> {
        self.current.reload(|shared| build(&ApiKeyLayer::new(shared)).map(|layer| layer.shared))
    }
}

impl fmt::Debug for ReloadHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ReloadHandle").field("current", &self.current()).finish()
    }
}
