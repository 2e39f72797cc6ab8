//! Setting a cache up.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::super::KeyStore;
use super::cache::Cached;
use super::settings::Settings;
use crate::clock::Clock;

/// Sets up a [`Cached`] store.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::store::{Cached, MemoryStore};
///
/// let store = Cached::builder(MemoryStore::new())
///     .staleness(Duration::from_secs(2)) // how long a revoked key may serve
///     .capacity(1_000_000, 10_000)
///     .build();
/// assert!(store.is_empty());
/// ```
#[derive(Clone)]
pub struct CachedBuilder<S> {
    store: S,
    settings: Settings,
}

impl<S: KeyStore> CachedBuilder<S> {
    pub(super) fn new(store: S) -> Self {
        Self { store, settings: Settings::default() }
    }

    /// Sets how old a record may be, and with it how long a key may serve after it was revoked: 5 seconds
    /// unless set; never longer, though the clock may [lag](Clock::lag), so one that is shorter than the lag
    /// keeps nothing. A request that waits for the store may wait for as long as a lookup may take, so a
    /// longer [`timeout`](Self::timeout) is the longest that a revoked key serves.
    pub fn staleness(mut self, staleness: Duration) -> Self {
        self.settings.staleness = staleness;
        self
    }

    /// Lets records serve so much longer while the store cannot answer; not at all unless set. A key that
    /// is revoked meanwhile serves as long, staleness and grace in all. From a lookup that failed until one
    /// that is answered, requests that an old record can serve do not wait for the store: it is asked
    /// behind them, and what it says counts from then on.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.settings.grace = grace;
        self
    }

    /// Sets how long an unknown secret is remembered, and with it how long a key that was just added
    /// may be refused to someone who tried it before: 1 second unless set.
    pub fn unknown_for(mut self, unknown_for: Duration) -> Self {
        self.settings.unknown_for = unknown_for;
        self
    }

    /// Sets how long the store may take for a lookup, with its wait in line: 2 seconds unless set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = timeout;
        self
    }

    /// Sets how many records, and how many unknown secrets, are kept: 100,000 and 10,000 unless set.
    pub fn capacity(mut self, records: usize, unknown: usize) -> Self {
        self.settings.capacity = records;
        self.settings.unknown_capacity = unknown;
        self
    }

    /// Sets how many lookups may be under way at once, 1,000 unless set. More wait in line, first come,
    /// first served, for as long as a lookup may take; one that all its clients have left gives its place
    /// up. Those beyond 65,536 in line fail without being made.
    pub fn lookups_at_once(mut self, lookups: usize) -> Self {
        self.settings.most_lookups = lookups;
        self
    }

    /// Tells the time by another clock; give it the gate's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.settings.lag = clock.lag();
        self.settings.clock = Arc::new(clock);
        self
    }

    /// Makes the cache.
    pub fn build(self) -> Cached<S> {
        Cached::with(self.store, self.settings)
    }
}

impl<S> fmt::Debug for CachedBuilder<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { staleness, grace, .. } = &self.settings;
        let mut debug = formatter.debug_struct("CachedBuilder");
        debug.field("staleness", staleness).field("grace", grace).finish_non_exhaustive()
    }
}
