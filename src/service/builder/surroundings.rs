//! Builder methods for the clock, the observer, and the request that the inner service gets.

use std::sync::Arc;

use super::ApiKeyLayerBuilder;
use crate::clock::Clock;
use crate::service::observer::Observer;

impl ApiKeyLayerBuilder {
    /// Reads the time from this clock instead of the system's. [`ManualClock`](crate::clock::ManualClock) has
    /// an example for tests.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.options.clock = Arc::new(clock);
        self
    }

    /// Reports refusals, exposed keys and failures to an observer. [`Observer`] has an example.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.options.observer = Some(Arc::new(observer));
        self
    }

    /// Removes the credential from an admitted request before the inner service gets it. Use it in a
    /// gateway, so that backends do not see the keys of clients; `examples/gateway` is one.
    ///
    /// ```
    /// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
    ///
    /// let layer = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new())
    ///     .strip_credential() // the backend gets no key
    ///     .without_grant() // the gateway itself needs no grant
    ///     .build()?;
    /// # Ok::<(), tower_api_key::ConfigError>(())
    /// ```
    pub fn strip_credential(mut self) -> Self {
        self.options.strip_credential = true;
        self
    }

    /// Puts no [`Grant`](crate::Grant) into the request's extensions, which saves an allocation for each
    /// request. Use it if no service behind the gate needs to know its caller.
    /// [`strip_credential`](Self::strip_credential) has an example.
    pub fn without_grant(mut self) -> Self {
        self.options.leave_grant = false;
        self
    }
}
