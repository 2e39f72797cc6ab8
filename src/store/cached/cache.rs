//! The cache.

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

/// Keeps records of another store in memory. Clones share what is kept.
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
/// // A revoked key serves for two seconds more, at most.
/// let store = Cached::builder(database).staleness(Duration::from_secs(2)).build();
/// assert!(store.find(&digest).await?.is_some()); // from the database
/// assert!(store.find(&digest).await?.is_some()); // from memory
/// # Ok(())
/// # }
/// ```
pub struct Cached<S>(pub(super) Arc<SharedCache<S>>);

impl<S: KeyStore> Cached<S> {
    /// Keeps up to 100,000 records of a store for up to 5 seconds, and up to 10,000 unknown secrets for
    /// a second; a lookup may take 2 seconds, and 1,000 may be under way.
    pub fn new(store: S) -> Self {
        Self::builder(store).build()
    }

    /// Starts a cache in front of a store.
    pub fn builder(store: S) -> CachedBuilder<S> {
        CachedBuilder::new(store)
    }

    pub(super) fn with(store: S, settings: Settings) -> Self {
        Self(Arc::new(SharedCache::new(store, settings)))
    }

    /// Returns the store behind it.
    pub fn store(&self) -> &S {
        &self.0.store
    }

    /// Returns the number of records that are kept.
    pub fn len(&self) -> usize {
        self.0.known.len()
    }

    /// Returns the number of unknown secrets that are remembered.
    pub fn unknown_len(&self) -> usize {
        self.0.unknown.len()
    }

    /// Tells whether no record is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Hears what is no longer as it was; the next request asks the store. What is about a secret or an
    /// account is not answered again. When everything may have changed, a record still serves as long as
    /// the store cannot answer, until it is older than staleness and grace.
    pub fn invalidate(&self, what: &Invalidation) {
        self.0.invalidate(what);
    }

    /// Writes when secrets were last used, to the minute and every 5 seconds, until the cache is
    /// dropped; to be spawned, once. Without it nothing is noted, and costs nothing. A failed write is
    /// tried once more, with what came since; no request waits for it.
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
