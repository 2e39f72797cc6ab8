//! The cache.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::future::{Either, select};
use quick_cache::sync::Cache;
use tokio::time::timeout;

use super::super::KeyStore;
use super::super::invalidation::Invalidation;
use super::builder::{CachedBuilder, Settings};
use super::flight::{Flights, Landed, Shared, Ticket};
use super::kept::{Age, Asked, Kept, Unknown};
use super::notices::Notices;
use super::uses::Uses;
use crate::clock::Timestamp;
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
pub struct Cached<S>(pub(super) Arc<Inner<S>>);

pub(super) struct Inner<S> {
    pub(super) store: S,
    settings: Settings,
    known: Cache<KeyDigest, Arc<Kept>>,
    unknown: Cache<KeyDigest, Unknown>,
    pub(super) notices: Notices,
    /// Apart from what every request reads, for lookups write to it.
    pub(super) flights: Box<Flights>,
    pub(super) uses: Uses,
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
            notices: Notices::new(settings.capacity),
            flights: Box::new(Flights::new(settings.most_lookups)),
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

    /// Hears what is no longer as it was; the next request asks the store. What is about a secret or an
    /// account is not answered again. When everything may have changed, a record still serves as long as
    /// the store cannot answer, until it is older than staleness and grace.
    pub fn invalidate(&self, what: &Invalidation) {
        self.0.invalidate(what);
    }
}

impl<S: KeyStore> KeyStore for Cached<S> {
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        let inner = &self.0;
        let now = inner.settings.clock.now();
        let kept = inner.known.get(digest);
        let age = kept.as_ref().map_or(Age::Over, |kept| kept.age(now, &inner.notices));
        match kept {
            Some(kept) if age == Age::Fresh => {
                return Reply::now(Ok(Some(inner.serve(digest, now, &kept))));
            }
            Some(kept) if age == Age::Old && inner.flights.is_failing() => {
                // Whoever waited would wait for nothing, most likely. If it is there again, this finds out.
                inner.look_up_behind(*digest);
                return Reply::now(Ok(Some(inner.serve(digest, now, &kept))));
            }
            _ if inner.is_unknown(digest, now) => return Reply::now(Ok(None)),
            _ => {}
        }
        match inner.look_up(*digest) {
            Ok(ticket) => {
                let (inner, digest) = (Arc::clone(inner), *digest);
                Reply::later(async move { inner.wait(digest, ticket, age).await })
            }
            Err(error) => Reply::now(inner.despite(digest, error)),
        }
    }
}

impl<S: KeyStore> Inner<S> {
    pub(super) const fn settings(&self) -> &Settings {
        &self.settings
    }

    fn serve(&self, digest: &KeyDigest, now: Timestamp, kept: &Kept) -> SharedRecord {
        self.uses.note(digest, now, &kept.noted);
        kept.record.clone()
    }

    fn is_unknown(&self, digest: &KeyDigest, now: Timestamp) -> bool {
        let unknown = self.unknown.get(digest);
        unknown.is_some_and(|unknown| unknown.counts(now, &self.notices))
    }

    /// Waits for a lookup, as long as one may take.
    async fn wait(
        self: Arc<Self>,
        digest: KeyDigest,
        ticket: Ticket,
        age: Age,
    ) -> Result<Option<SharedRecord>, StoreError> {
        // Dropped after it was seen why there is no answer: a lookup in line goes with those that wait.
        let mut answer = pin!(timeout(self.settings.timeout, self.answer(digest, ticket, age)));
        let answered = answer.as_mut().await;
        let found = answered.unwrap_or_else(|_| Err(self.waited_in_vain(&digest)));
        found.or_else(|error| self.despite(&digest, error))
    }

    /// Waits for a lookup; with an old record at hand, only until the store fails, be it at another.
    async fn answer(
        self: &Arc<Self>,
        digest: KeyDigest,
        ticket: Ticket,
        age: Age,
    ) -> Result<Option<SharedRecord>, StoreError> {
        let arrived = ticket.arrived;
        let landing = pin!(ticket.landed());
        let mut landed = if age == Age::Old {
            match select(landing, pin!(self.flights.fails())).await {
                Either::Left((landed, _)) => landed,
                Either::Right(((), landing)) => match self.old(&digest) {
                    Some(record) => return Ok(Some(record)),
                    None => landing.await,
                },
            }
        } else {
            landing.await
        };
        if self.is_outdated(&landed, arrived) {
            // It began before this request did, and what it says of the account is older than a notice
            // that this request came after. Another begins after both.
            landed = self.look_up(digest)?.landed().await;
        }
        landed.found.map_err(StoreError::new)
    }

    /// Returns true if an answer is older than a notice about it that a request came after.
    fn is_outdated(&self, landed: &Landed, arrived: u64) -> bool {
        landed.after < arrived
            && match &landed.found {
                Ok(Some(record)) => {
                    let account = self.notices.place_of(record.account().id());
                    self.notices.names_account_after(landed.after, account)
                }
                Ok(None) => self.notices.names_unknown_after(landed.after),
                Err(_) => false,
            }
    }

    /// Answers a request whose lookup failed.
    fn despite(
        &self,
        digest: &KeyDigest,
        error: StoreError,
    ) -> Result<Option<SharedRecord>, StoreError> {
        self.old(digest).map_or(Err(error), |record| Ok(Some(record)))
    }

    /// Returns a record that serves while the store cannot answer, if there is one.
    fn old(&self, digest: &KeyDigest) -> Option<SharedRecord> {
        let now = self.settings.clock.now();
        let kept = self.known.get(digest)?;
        (kept.age(now, &self.notices) != Age::Over).then(|| self.serve(digest, now, &kept))
    }

    /// Returns what is kept of a secret.
    #[cfg(all(test, shuttle))]
    pub(super) fn kept(&self, digest: &KeyDigest) -> Option<(Arc<Kept>, Age)> {
        let kept = self.known.get(digest)?;
        let age = kept.age(self.settings.clock.now(), &self.notices);
        Some((kept, age))
    }

    /// Keeps what the store answered. Called under the lock of the lookups, so that nobody names the
    /// secret in between. That its account was named since is seen when the record is to be answered.
    pub(super) fn settle(&self, digest: KeyDigest, asked: Asked, answer: &Shared) {
        match answer {
            Ok(Some(record)) => {
                self.unknown.remove(&digest);
                let account = self.notices.place_of(record.account().id());
                let noted = self.known.get(&digest).map(|kept| kept.noted.load(Ordering::Relaxed));
                let record = record.clone();
                let kept = Kept::new(record, asked, account, noted.unwrap_or(0), &self.settings);
                self.uses.note(&digest, asked.at, &kept.noted);
                self.known.insert(digest, Arc::new(kept));
            }
            Ok(None) => {
                self.known.remove(&digest);
                if !self.notices.names_unknown_after(asked.after) {
                    self.unknown.insert(digest, Unknown::new(asked, &self.settings));
                }
            }
            Err(_) => {}
        }
    }

    fn invalidate(&self, what: &Invalidation) {
        let mut list = self.flights.lock();
        self.notices.hear(what);
        if let Invalidation::Secret(digest) = what {
            list.leave_behind(digest);
            self.known.remove(digest);
            self.unknown.remove(digest);
        }
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
