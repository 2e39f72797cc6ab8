//! The layer whose gates change between two requests.

use std::fmt;
use std::sync::Arc;

use tower_layer::Layer;

use super::current::CurrentLayer;
use super::gate::ReloadableGate;
use super::handle::ReloadHandle;
use crate::service::layer::ApiKeyLayer;

/// A tower layer whose gates can be replaced while they serve. Clones are replaced together.
///
/// The layer takes the place of an [`ApiKeyLayer`]. [The module's page](super) has an example.
///
/// ```
/// use tower::Layer;
/// use tower_api_key::reload::{ReloadableGate, ReloadableLayer};
/// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
///
/// let first = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new()).build()?;
/// let (layer, handle) = ReloadableLayer::new(first);
/// let service: ReloadableGate<_> = layer.layer(());
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct ReloadableLayer {
    current: Arc<CurrentLayer>,
}

impl ReloadableLayer {
    /// Starts with this layer. Returns the handle that replaces it.
    pub fn new(layer: ApiKeyLayer) -> (Self, ReloadHandle) {
        let current = Arc::new(CurrentLayer::new(layer.shared));
        (Self { current: Arc::clone(&current) }, ReloadHandle::new(current))
    }
}

impl<S> Layer<S> for ReloadableLayer {
    type Service = ReloadableGate<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ReloadableGate::new(Arc::clone(&self.current), inner)
    }
}

impl fmt::Debug for ReloadableLayer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ReloadableLayer")
            .field("profile", &self.current.shared().name)
            .finish_non_exhaustive()
    }
}
