//! The builder of a cache.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::super::KeyStore;
use super::cache::Cached;
use super::observer::CacheObserver;
use super::settings::Settings;
use crate::clock::Clock;

/// Builds a [`Cached`] store.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::store::{Cached, MemoryStore};
///
/// let store = Cached::builder(MemoryStore::new())
///     .staleness(Duration::from_secs(2)) // how long a revoked key may pass
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

    /// Sets how old a record may be, and so how long a key may pass after its revocation: 5 seconds unless
    /// set. The age counts from just before the store was asked, or from a later
    /// [proof of life](crate::store::Invalidation::UpToDate).
    ///
    /// The bound holds even though the clock may [lag](Clock::lag). A staleness that is shorter than the lag
    /// therefore caches no records. A request may wait for the store until the [`timeout`](Self::timeout). If
    /// the timeout is longer than the staleness, the timeout is the bound for a revoked key.
    pub fn staleness(mut self, staleness: Duration) -> Self {
        self.settings.staleness = staleness;
        self
    }

    /// Sets for how much longer than the staleness a record may be used while the store cannot answer: zero
    /// unless set.
    ///
    /// A key that is revoked during an outage may pass for staleness and grace together. After a failed
    /// lookup, requests with a usable record do not wait for the store, until a lookup succeeds again. The
    /// cache asks the store in the background, and its answer applies as soon as it arrives.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.settings.grace = grace;
        self
    }

    /// Sets how long an unknown secret is cached: 1 second unless set. The time counts from just before the
    /// store was asked, or from a later proof of life. For that long, a new key may be
    /// refused if a client tried it before it was added.
    pub fn unknown_for(mut self, unknown_for: Duration) -> Self {
        self.settings.unknown_for = unknown_for;
        self
    }

    /// Sets how old a record may be while proofs of life come: 1 hour unless set. A later request reads it
    /// again.
    ///
    /// Only changes that a source did not report count that late, such as those that were made by SQL by hand.
    /// Each record is read again after a random time, between half of this time and all of it, so that a fleet
    /// that started together does not ask together. Without [`listen`](Cached::listen) the time has no effect.
    pub fn refresh_after(mut self, refresh_after: Duration) -> Self {
        self.settings.refresh_after = refresh_after;
        self
    }

    /// Sets how long a lookup may take, including its wait in the queue: 2 seconds unless set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = timeout;
        self
    }

    /// Sets how many records and how many unknown secrets are cached: 100,000 and 10,000 unless set.
    ///
    /// A full cache keeps the records that are used again and again. Records are divided among up to 64 parts by their
    /// digests, and not quite evenly. So a cache that is to have every key needs room for some more.
    pub fn capacity(mut self, records: usize, unknown: usize) -> Self {
        self.settings.capacity = records;
        self.settings.unknown_capacity = unknown;
        self
    }

    /// Sets how many lookups may ask the store at once: 1,000 unless set.
    ///
    /// Further lookups wait in a queue until the [`timeout`](Self::timeout), first come, first served. A
    /// lookup leaves the queue when all requests that wait for it are gone. The queue holds 65,536 lookups;
    /// further lookups fail at once.
    pub fn lookups_at_once(mut self, lookups: usize) -> Self {
        self.settings.most_lookups = lookups;
        self
    }

    /// Sets the clock: the system's unless set. Pass the same clock as to the gate.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.settings.lag = clock.lag();
        self.settings.clock = Arc::new(clock);
        self
    }

    /// Reports to an observer how the cache answers lookups: none unless set.
    pub fn observer(mut self, observer: impl CacheObserver) -> Self {
        self.settings.observer = Some(Arc::new(observer));
        self
    }

    /// Builds the cache.
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
