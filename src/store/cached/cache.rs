//! The cache as a store.

use std::fmt;
use std::sync::Arc;

use super::super::KeyStore;
use super::super::background_writes::BackgroundWrites;
use super::super::invalidation::Invalidation;
use super::super::manage::KeyManager;
use super::builder::CachedBuilder;
use super::inner::SharedCache;
use super::settings::Settings;
use crate::error::StoreError;
use crate::key::{CounterPlace, KeyDigest, SharedRecord};
use crate::sync::Reply;

/// Caches the records of another store in memory. Clones share the records.
///
/// The cache guards one number: for how long a key may still pass after its revocation. This number is the
/// [staleness](CachedBuilder::staleness), 5 seconds unless set. The contract:
///
/// 1. The cache answers a lookup from memory only if the record was up to date less than the staleness ago.
///    That is the instant just before it asked the store for the record, or a later proof of life.
/// 2. A proof of life is [`Invalidation::UpToDate`], from a source that the cache [listens](Self::listen) to.
///    It says that the source reported every change until then. While proofs come, a record is read once, and
///    again after [`refresh_after`](CachedBuilder::refresh_after).
/// 3. Without a source, or without its proofs, each record in use is read again after each staleness. So it is
///    when proofs stop: when the database stands still, a connection is lost or the process was frozen.
/// 4. A notice that names the secret or its account counts at once. The next request asks the store. Notices
///    make changes count within milliseconds, and lost notices do not make them count later than the staleness.
/// 5. When a source fails, and when it is back, anything may have changed. Each record is then read again once.
///    A later proof says nothing about records from before.
/// 6. With several sources, the oldest of their last proofs counts. A source that ended gives no more proofs.
/// 7. Ages are never understated. Of the wall clock and the [steady clock](crate::clock::Clock::steady), the
///    one that shows more time counts. So it does not matter if the wall clock is set. A clock in ticks does not
///    make a record serve longer, even if a tick comes late.
/// 8. The same holds for unknown secrets, with [`unknown_for`](CachedBuilder::unknown_for) in place of the
///    staleness.
///
/// The bound is about the store as the cache asks it. If the store reads from a standby, the lag of the standby
/// comes on top.
///
/// Expiry and first instant of a key are exact in spite of the cache, because the gate compares them with the
/// clock on every request.
///
/// # When the store cannot answer
///
/// The cache uses a record until its age, as above, is staleness and [grace](CachedBuilder::grace)
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

    /// Writes to a store when secrets were last used, until the cache is dropped. Spawn the task once; a
    /// second one ends at once.
    ///
    /// A use is a lookup of a key that is valid then: one that is revoked, disabled, expired or not valid yet is not used.
    /// Uses are recorded to the minute and written every 5 seconds. A failed write is repeated with the next
    /// one. If the store keeps failing, uses are dropped once 10,000 wait. No request waits for a write.
    /// Without this task no use is recorded, and a request pays nothing.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use tower_api_key::store::{Cached, MemoryStore};
    ///
    /// # async fn example(database: MemoryStore) {
    /// let store = Cached::new(database.clone());
    /// tokio::spawn(store.record_uses(Arc::new(database)));
    /// # }
    /// ```
    pub fn record_uses(&self, manager: Arc<dyn KeyManager>) -> BackgroundWrites {
        self.0.uses.write_to(manager)
    }
}

impl<S: KeyStore> KeyStore for Cached<S> {
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        self.0.find(digest, |known| known.find(digest))
    }

    fn find_and_preload(
        &self,
        digest: &KeyDigest,
        preload: &dyn Fn(CounterPlace),
    ) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        self.0.find(digest, |known| known.find_and_preload(digest, preload))
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
