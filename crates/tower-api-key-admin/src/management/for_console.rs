//! What the gates of the console share with the operations.

use std::sync::Arc;

use tower_api_key::clock::Clock;
use tower_api_key::key::KeyHasher;
use tower_api_key::store::{KeyManager, KeyStore};

use super::management::Management;

impl Management {
    /// Returns the store, in which the console's gates find keys.
    pub(crate) fn store(&self) -> Arc<dyn KeyStore> {
        Arc::<dyn KeyManager>::clone(&self.0.manager)
    }

    /// Returns the hasher of the keys.
    pub(crate) fn hasher(&self) -> &KeyHasher {
        &self.0.hasher
    }

    /// Returns the clock.
    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.0.clock)
    }
}
