//! The cache as a store.

use std::fmt;
use std::sync::Arc;

use super::super::KeyStore;
use super::super::invalidation::Invalidation;
use super::super::manage::KeyManager;
use super::builder::CachedBuilder;
use super::inner::SharedCache;
use super::settings::Settings;
use crate::error::StoreError;
use crate::key::{KeyDigest, SharedRecord};
use crate::sync::Reply;

/// Caches the records of another store in memory. Clones share the records.
///
/// The cache guards one number: for how long a key may still pass after its revocation. This number is the
/// [staleness](CachedBuilder::staleness), 5 seconds unless set. It counts from just before the store was
/// asked. The cache answers a lookup from memory if
///
/// 1. it asked the store for the record less than the staleness ago, by its own clock. The staleness ends
///    earlier by the [lag](crate::clock::Clock::lag) of the clock;
/// 2. no notice has named the secret or its account since. A store can report its changes to
///    [`listen`](Self::listen), which shortens the time to a few milliseconds. If notices are lost, the cache
///    asks the store, and the staleness still holds.
///
/// Expiry and first instant of a key are exact in spite of the cache, because the gate compares them with the
/// clock on every request.
///
/// # When the store cannot answer
///
/// The cache uses a record until the record is older than staleness and [grace](CachedBuilder::grace)
/// together. The grace is zero unless set. Afterwards the gate refuses requests with 503. The first request
/// waits for its lookup. After a failed lookup, requests with a usable record do not wait, until a lookup
/// succeeds again. The cache asks the store in the background meanwhile. A record whose secret or account was
/// named by a notice is never used.
///
/// # Limits
///
/// Lookups beyond [`lookups_at_once`](CachedBuilder::lookups_at_once) wait in a queue, first come, first
/// served. Unknown secrets are cached apart from records, for 1 second unless set, so random ones evict no
/// records.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::key::{Account, KeyHasher, KeyRecord};
/// use tower_api_key::store::{Cached, KeyStore, MemoryStore};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let database = MemoryStore::new(); // in place of a remote store
/// let acme = Account::builder("acme").build()?;
/// let digest = KeyHasher::sha256().digest(b"the key's text");
/// database.add_now(digest, KeyRecord::builder("key_1", acme).build()?);
///
/// // A revoked key passes for at most two more seconds.
/// let store = Cached::builder(database).staleness(Duration::from_secs(2)).build();
/// assert!(store.find(&digest).await?.is_some()); // from the database
/// assert!(store.find(&digest).await?.is_some()); // from memory
/// # Ok(())
/// # }
/// ```
pub struct Cached<S>(pub(super) Arc<SharedCache<S>>);

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
        Self(Arc::new(SharedCache::new(store, settings)))
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
    /// use std::sync::Arc;
    /// use tower_api_key::store::{Cached, MemoryStore};
    ///
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
