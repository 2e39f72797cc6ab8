//! Building a layer that takes over the state of another.

use super::ApiKeyLayerBuilder;
use crate::error::ConfigError;
use crate::service::layer::ApiKeyLayer;

impl ApiKeyLayerBuilder {
    /// Builds the layer, and lets it take over the state of the layer before it: failed attempts, refused requests,
    /// alarms, permits in memory, and what was counted while a limiter could not answer. [`reload`](crate::reload)
    /// lists what survives which change.
    ///
    /// The previous layer stays as it is, and may serve on.
    ///
    /// Give the new layer the store and the limiter of the previous one, as clones of an [`Arc`](std::sync::Arc).
    /// Otherwise keys and counts of quotas are those of the new store and limiter.
    ///
    /// # Errors
    ///
    /// Those of [`build`](Self::build).
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::time::Duration;
    /// use tower_api_key::attempts::FailedAttempts;
    /// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
    ///
    /// let store = Arc::new(MemoryStore::new());
    /// let limited = |limit| {
    ///     ApiKeyLayer::builder(Profile::STANDARD, Arc::clone(&store))
    ///         .failed_attempts(FailedAttempts::new(limit, Duration::from_secs(60)))
    /// };
    /// let first = limited(10).build()?;
    /// // A network that was refused by the first layer is refused by the second.
    /// let second = limited(20).build_after(&first)?;
    /// # Ok::<(), tower_api_key::ConfigError>(())
    /// ```
    pub fn build_after(self, previous: &ApiKeyLayer) -> Result<ApiKeyLayer, ConfigError> {
        self.build_with(Some(&previous.shared))
    }
}
