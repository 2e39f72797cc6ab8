//! The cache.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use quick_cache::sync::Cache;

use super::super::error::StoreError;
use super::super::invalidation::Invalidation;
use super::super::{Found, KeyStore};
use super::builder::{CachedBuilder, Settings};
use super::flight::{Flights, Shared};
use super::uses::Uses;
use crate::clock::Timestamp;
use crate::eventually::Eventually;
use crate::key::{KeyDigest, SharedRecord};

/// Keeps records of another store in memory. Clones share what is kept.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::store::{Cached, KeyStore, MemoryStore};
/// # use std::sync::Arc;
/// # use tower_api_key::key::{Account, KeyHasher, KeyRecord};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (database, digest) = (MemoryStore::new(), KeyHasher::sha256().digest(b"the key's text"));
/// # let acme = Arc::new(Account::builder("acme").build()?);
/// # database.insert(digest, KeyRecord::builder("key_1", acme).build()?);
/// // A revoked key serves for two seconds more, at most.
/// let store = Cached::builder(database).staleness(Duration::from_secs(2)).build();
/// assert!(store.find(&digest).await?.is_some()); // from the database
/// assert!(store.find(&digest).await?.is_some()); // from memory
/// # Ok(())
/// # }
/// ```
pub struct Cached<S>(pub(super) Arc<Inner<S>>);

pub(super) struct Inner<S> {
    pub(super) store: S,
    settings: Settings,
    known: Cache<KeyDigest, Arc<Kept>>,
    /// Secrets that the store does not know, and when it was asked.
    unknown: Cache<KeyDigest, Timestamp>,
    pub(super) flights: Flights,
    pub(super) uses: Uses,
}

/// A record, and when the store was asked for it.
struct Kept {
    record: SharedRecord,
    asked: Timestamp,
    /// When a use of the secret was last noted, in nanoseconds since 1970.
    noted: AtomicU64,
}

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
        Self(Arc::new(Inner {
            store,
            known: Cache::new(settings.capacity),
            unknown: Cache::new(settings.unknown_capacity),
            flights: Flights::default(),
            uses: Uses::default(),
            settings,
        }))
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

    /// Forgets what is no longer as it was; the next request asks the store.
    pub fn invalidate(&self, what: &Invalidation) {
        self.0.invalidate(what);
    }
}

impl<S: KeyStore> KeyStore for Cached<S> {
    fn find(&self, digest: &KeyDigest) -> Eventually<Found> {
        let now = self.0.settings.clock.now();
        if let Some(record) = self.0.kept(digest, now, Duration::ZERO) {
            return Eventually::now(Ok(Some(record)));
        }
        if self.0.is_unknown(digest, now) {
            return Eventually::now(Ok(None));
        }
        let (inner, digest) = (Arc::clone(&self.0), *digest);
        match inner.board(digest) {
            Ok(flight) => Eventually::later(async move {
                flight.await.map_err(StoreError::new).or_else(|error| inner.despite(&digest, error))
            }),
            Err(full) => Eventually::now(inner.despite(&digest, full)),
        }
    }
}

impl<S: KeyStore> Inner<S> {
    pub(super) const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Returns a record that is young enough.
    fn kept(&self, digest: &KeyDigest, now: Timestamp, grace: Duration) -> Option<SharedRecord> {
        let kept = self.known.get(digest)?;
        if !is_young(kept.asked, now, self.settings.staleness.saturating_add(grace)) {
            return None;
        }
        self.uses.note(digest, now, &kept.noted);
        Some(kept.record.clone())
    }

    fn is_unknown(&self, digest: &KeyDigest, now: Timestamp) -> bool {
        let asked = self.unknown.get(digest);
        asked.is_some_and(|asked| is_young(asked, now, self.settings.unknown_for))
    }

    /// Answers a request whose lookup failed.
    fn despite(&self, digest: &KeyDigest, error: StoreError) -> Found {
        let now = self.settings.clock.now();
        match self.kept(digest, now, self.settings.grace) {
            Some(record) if !self.settings.grace.is_zero() => Ok(Some(record)),
            _ => Err(error),
        }
    }

    /// Keeps what the store answered. Called under the lock that invalidations take, so that none comes
    /// between the look at the generation and this.
    pub(super) fn settle(&self, digest: KeyDigest, asked: Timestamp, answer: &Shared) {
        match answer {
            Ok(Some(record)) => {
                self.unknown.remove(&digest);
                let noted = self.known.get(&digest).map(|kept| kept.noted.load(Ordering::Relaxed));
                let noted = AtomicU64::new(noted.unwrap_or(0));
                let record = record.clone();
                self.uses.note(&digest, asked, &noted);
                self.known.insert(digest, Arc::new(Kept { record, asked, noted }));
            }
            Ok(None) => {
                self.known.remove(&digest);
                self.unknown.insert(digest, asked);
            }
            Err(_) => {}
        }
    }

    fn invalidate(&self, what: &Invalidation) {
        self.flights.invalidate(|| match what {
            Invalidation::Secret(digest) => {
                self.known.remove(digest);
                self.unknown.remove(digest);
            }
            Invalidation::Account(account) => {
                self.known.retain(|_, kept| kept.record.account().id() != account);
            }
            Invalidation::Added => self.unknown.clear(),
            Invalidation::Everything => {
                self.known.clear();
                self.unknown.clear();
            }
        });
    }
}

/// Tells whether less than a time has passed. An instant that lies ahead says that the clock was set
/// back, and nothing is known of its age.
fn is_young(asked: Timestamp, now: Timestamp, longest: Duration) -> bool {
    asked <= now && now.since(asked) < longest
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
