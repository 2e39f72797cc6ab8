//! The cache as a store.

use std::fmt;
use std::sync::Arc;

use super::super::KeyStore;
use super::super::invalidation::Invalidation;
use super::super::manage::KeyManager;
use super::builder::CachedBuilder;
use super::inner::CacheInner;
use super::settings::Settings;
use crate::error::StoreError;
use crate::key::{KeyDigest, SharedRecord};
use crate::sync::Reply;

/// Caches the records of another store in memory. Clones share the records.
///
/// The cache guards one number: for how long a key may still pass after its revocation. This number is the
/// [staleness](CachedBuilder::staleness), 5 seconds unless set. It counts from just before the store was
/// asked. A lookup is answered from memory
///
/// 1. if the store was asked for the record less than the staleness ago, by the cache's own clock. The limit
///    is reached earlier by the clock's [lag](crate::clock::Clock::lag);
/// 2. if no notice has named its secret or its account since. Notices come from a store that reports its
///    changes to [`listen`](Self::listen), within a few milliseconds. If notices are lost, the cache asks the
///    store, and the staleness still holds.
///
/// The gate compares the expiry and the first instant of a record with the clock on every request, so neither
/// is affected by the cache.
///
/// # When the store cannot answer
///
/// A record serves until the staleness, or the [grace](CachedBuilder::grace) if one is set, is over. Then the
/// gate refuses requests with 503. The first request waits for its lookup. After a failed lookup, requests
/// with a usable record do not wait, until a lookup succeeds again: the cache asks the store in the
/// background. A record whose secret or account was named by a notice is never used.
///
/// # Limits
///
/// Lookups beyond [`lookups_at_once`](CachedBuilder::lookups_at_once) wait in a queue, first come, first
/// served. Unknown secrets are cached apart from records, for 1 second unless set, so random ones evict no
/// records.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::store::{Cached, KeyStore, MemoryStore};
/// # use tower_api_key::key::{Account, KeyHasher, KeyRecord};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (database, digest) = (MemoryStore::new(), KeyHasher::sha256().digest(b"the key's text"));
/// # let acme = Account::builder("acme").build()?;
/// # database.add_now(digest, KeyRecord::builder("key_1", acme).build()?);
/// // A revoked key passes for at most two more seconds.
/// let store = Cached::builder(database).staleness(Duration::from_secs(2)).build();
/// assert!(store.find(&digest).await?.is_some()); // from the database
/// assert!(store.find(&digest).await?.is_some()); // from memory
/// # Ok(())
/// # }
/// ```
pub struct Cached<S>(pub(super) Arc<CacheInner<S>>);

impl<S: KeyStore> Cached<S> {
    /// Creates a cache with the defaults: up to 100,000 records for up to 5 seconds, and up to 10,000 unknown
    /// secrets for 1 second. A lookup may take 2 seconds, and 1,000 lookups may run at once.
    pub fn new(store: S) -> Self {
        Self::builder(store).build()
    }

    /// Returns a builder of a cache in front of a store.
    pub fn builder(store: S) -> CachedBuilder<S> {
        CachedBuilder::new(store)
    }

    pub(super) fn with(store: S, settings: Settings) -> Self {
        Self(Arc::new(CacheInner::new(store, settings)))
    }

    /// Returns the store behind the cache.
    pub fn store(&self) -> &S {
        &self.0.store
    }

    /// Returns the number of cached records.
    pub fn len(&self) -> usize {
        self.0.known.len()
    }

    /// Returns the number of cached unknown secrets.
    pub fn unknown_len(&self) -> usize {
        self.0.unknown.len()
    }

    /// Returns true if no record is cached.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Applies a notice of a change. The next request that it concerns asks the store.
    ///
    /// A record whose secret or account was named is never answered again. After
    /// [`Everything`](Invalidation::Everything), a record is still answered if the store cannot answer, until
    /// the record is older than staleness and grace together.
    pub fn invalidate(&self, what: &Invalidation) {
        self.0.invalidate(what);
    }

    /// Writes to a store when secrets were last used, until the cache is dropped. Spawn the future once; a
    /// second one ends at once.
    ///
    /// Uses are recorded to the minute and written every 5 seconds. A failed write is repeated with the next
    /// one. If the store keeps failing, uses are dropped once 10,000 wait. No request waits for a write.
    /// Without this future no use is recorded, and a request pays nothing.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use tower_api_key::store::{Cached, MemoryStore};
    /// # async fn example(database: MemoryStore) {
    /// let store = Cached::new(database.clone());
    /// tokio::spawn(store.note_uses(Arc::new(database)));
    /// # }
    /// ```
    pub fn note_uses(
        &self,
        manager: Arc<dyn KeyManager>,
    ) -> impl Future<Output = ()> + Send + 'static {
        self.0.uses.write_to(manager)
    }
}

impl<S: KeyStore> KeyStore for Cached<S> {
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        self.0.find(digest)
    }
}

impl<S> Clone for Cached<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: fmt::Debug> fmt::Debug for Cached<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Cached").field(&self.0.store).finish()
    }
}
