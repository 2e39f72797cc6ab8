//! The contents of a cache, and how it answers lookups.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::FutureExt;
use futures_util::future::{Either, select};
use tokio::sync::watch;
use tokio::time::timeout;

use super::super::KeyStore;
use super::super::invalidation::Invalidation;
use super::super::uses::Uses;
use super::answer::{LookupAnswer, NoAnswer, SharedFound, Waiter};
use super::guard::{Guard, Turn};
use super::kept::{Age, AgeContext, AgeLimits, Asked, Kept, Unknown};
use super::lookups::Lookups;
use super::moment::Moment;
use super::notices::Notices;
use super::observer::CacheAnswer;
use super::settings::Settings;
use super::table::CacheTable;
use crate::error::StoreError;
use crate::key::{KeyDigest, KeyRecord, SharedRecord};
use crate::sync::Reply;

/// What the clones of a cache share.
pub(super) struct SharedCache<S> {
    pub(super) store: S,
    settings: Settings,
    limits: AgeLimits,
    pub(super) known: CacheTable<Kept>,
    pub(super) unknown: CacheTable<Unknown>,
    pub(super) notices: Notices,
    /// Separate from the fields that every request reads, because lookups write to it.
    pub(super) lookups: Lookups,
    pub(super) uses: Uses,
    /// Dropped with the cache, which ends the tasks that listen for notices.
    pub(super) end: watch::Sender<()>,
}

impl<S: KeyStore> SharedCache<S> {
    pub(super) fn new(store: S, settings: Settings) -> Self {
        Self {
            store,
            known: CacheTable::new(settings.capacity),
            unknown: CacheTable::new(settings.unknown_capacity),
            notices: Notices::new(settings.capacity),
            lookups: Lookups::new(settings.most_lookups),
            uses: Uses::default(),
            end: watch::Sender::new(()),
            limits: AgeLimits::new(&settings),
            settings,
        }
    }

    pub(super) fn find(
        self: &Arc<Self>,
        digest: &KeyDigest,
        find: impl FnOnce(&CacheTable<Kept>) -> Option<Arc<Kept>>,
    ) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        let (now, kept) = self.read(find);
        let age = kept.as_ref().map_or(Age::Over, |kept| kept.age(&now));
        match kept {
            Some(kept) if age == Age::Fresh => {
                self.observe(|| CacheAnswer::Hit { age: kept.time_since_proof(&now) });
                return Reply::now(Ok(Some(self.serve(digest, &now, kept))));
            }
            Some(kept) if age == Age::Old && self.lookups.are_failing() => {
                // The store is most likely still down. The background lookup finds out when it is
                // back.
                self.look_up_in_background(*digest);
                self.observe(|| CacheAnswer::Old { age: kept.time_since_proof(&now) });
                return Reply::now(Ok(Some(self.serve(digest, &now, kept))));
            }
            _ if self.is_unknown(digest, &now) => {
                self.observe(|| CacheAnswer::Unknown);
                return Reply::now(Ok(None));
            }
            _ => self.observe(|| CacheAnswer::Miss),
        }
        match self.look_up(*digest) {
            Ok(waiter) => {
                let (inner, digest) = (Arc::clone(self), *digest);
                Reply::later(async move { inner.wait(digest, waiter, age).await })
            }
            Err(error) => Reply::now(self.fall_back(digest, error)),
        }
    }

    /// Reads the last proof of life, the record, and then the clocks. All notices that came before the proof then count for
    /// the record. A process that is stopped before it reads the clocks judges the record by the time when it was woken.
    fn read(
        &self,
        find: impl FnOnce(&CacheTable<Kept>) -> Option<Arc<Kept>>,
    ) -> (AgeContext<'_>, Option<Arc<Kept>>) {
        let proof = self.notices.proofs.last();
        let kept = find(&self.known);
        let clock = &*self.settings.clock;
        let (limits, notices) = (&self.limits, &self.notices);
        let now = AgeContext { at: Moment::now(clock), proof, limits, notices, clock };
        (now, kept)
    }

    fn serve(&self, digest: &KeyDigest, now: &AgeContext<'_>, kept: Arc<Kept>) -> SharedRecord {
        self.uses.note(digest, &kept.record, now.at.wall, &kept.noted);
        kept.share()
    }

    fn is_unknown(&self, digest: &KeyDigest, now: &AgeContext<'_>) -> bool {
        self.unknown.find(digest).is_some_and(|unknown| unknown.counts(now))
    }

    /// Joins the lookup of a secret, or begins one.
    fn look_up(self: &Arc<Self>, digest: KeyDigest) -> Result<Waiter, StoreError> {
        self.lookups.join(digest, &self.notices, |guard, turn| Arc::clone(self).ask(guard, turn))
    }

    /// Begins the lookup of a secret, unless one is running or no permit is free.
    fn look_up_in_background(self: &Arc<Self>, digest: KeyDigest) {
        let ask = |guard, turn| Arc::clone(self).ask(guard, turn);
        self.lookups.begin_in_background(digest, &self.notices, ask);
    }

    /// Waits for a permit, and asks the store.
    async fn ask(self: Arc<Self>, mut guard: Guard, turn: Turn) {
        let Some(permit) = guard.wait_for(turn).await else { return };
        let asked = self.prepare(&mut guard);
        // `find` itself may panic, before it returns a future.
        let asking = AssertUnwindSafe(async { self.store.find(guard.digest()).await });
        let longest = self.settings.timeout;
        let found = match timeout(longest, asking.catch_unwind()).await {
            Ok(Ok(found)) => found.map_err(Arc::new),
            Ok(Err(_panic)) => NoAnswer::Panicked.into(),
            Err(_) => NoAnswer::Timeout(longest).into(),
        };
        drop(permit);
        self.settle(&mut guard, asked, found);
    }

    /// Records the instant and the number of the latest notice. Called before the store is asked.
    pub(super) fn prepare(&self, guard: &mut Guard) -> Asked {
        let after = guard.prepare(&self.notices);
        Asked { at: self.moment(), after }
    }

    /// Keeps an answer, unless a notice named its secret since the store was asked, and sends it to all
    /// requests that wait.
    pub(super) fn settle(&self, guard: &mut Guard, asked: Asked, found: SharedFound) {
        let digest = *guard.digest();
        guard.settle(found, |found| self.keep(digest, asked, found));
    }

    /// Keeps the answer of the store. Called under the lock of the lookups, so that no notice of the secret
    /// comes in between. Notices of the account are compared when the record is read.
    fn keep(&self, digest: KeyDigest, asked: Asked, answer: &SharedFound) {
        match answer {
            Ok(Some(record)) => {
                self.unknown.remove(&digest);
                let record = KeyRecord::clone(record);
                let before = self.known.find(&digest);
                let noted = before.as_ref().map(|kept| kept.noted.load(Ordering::Relaxed));
                if let Some(place) = before.and_then(|kept| kept.record.bookmark().counters()) {
                    record.bookmark().note(place.number());
                }
                let (limits, notices) = (&self.limits, &self.notices);
                let kept = Kept::new(digest, record, asked, noted.unwrap_or(0), limits, notices);
                self.uses.note(&digest, &kept.record, asked.at.wall, &kept.noted);
                self.known.insert(kept);
            }
            Ok(None) => {
                self.known.remove(&digest);
                if !self.notices.names_unknown_after(asked.after) {
                    let unknown = Unknown::new(digest, asked, &self.limits, &self.notices);
                    self.unknown.insert(unknown);
                }
            }
            Err(_) => {}
        }
    }

    /// Waits for a lookup until the timeout.
    async fn wait(
        self: Arc<Self>,
        digest: KeyDigest,
        waiter: Waiter,
        age: Age,
    ) -> Result<Option<SharedRecord>, StoreError> {
        let longest = self.settings.timeout;
        // Dropped after the reason was read: a queued lookup leaves the list with the last waiting
        // request.
        let mut answer = pin!(timeout(longest, self.answer(digest, waiter, age)));
        let answered = answer.as_mut().await;
        let timed_out = |_| Err(self.lookups.timeout_error(&digest, longest));
        answered.unwrap_or_else(timed_out).or_else(|error| self.fall_back(&digest, error))
    }

    /// Waits for a lookup. If an old record is at hand, the wait ends when any lookup fails.
    async fn answer(
        self: &Arc<Self>,
        digest: KeyDigest,
        waiter: Waiter,
        age: Age,
    ) -> Result<Option<SharedRecord>, StoreError> {
        let arrived = waiter.arrived;
        let waiting = pin!(waiter.wait());
        let mut answer = if age == Age::Old {
            match select(waiting, pin!(self.lookups.wait_for_failure())).await {
                Either::Left((answer, _)) => answer,
                Either::Right(((), waiting)) => match self.old(&digest) {
                    Some(record) => return Ok(Some(record)),
                    None => waiting.await,
                },
            }
        } else {
            waiting.await
        };
        if self.is_outdated(&answer, arrived) {
            // The lookup began before the request and before a notice about its account. The next
            // lookup begins after both.
            answer = self.look_up(digest)?.wait().await;
        }
        answer.found.map_err(StoreError::new)
    }

    /// Returns true if a notice about the answer came after the lookup began and before the request arrived.
    fn is_outdated(&self, answer: &LookupAnswer, arrived: u64) -> bool {
        answer.after < arrived
            && match &answer.found {
                Ok(Some(record)) => {
                    let account = self.notices.slot_of(record.account().id());
                    self.notices.names_account_after(answer.after, account)
                }
                Ok(None) => self.notices.names_unknown_after(answer.after),
                Err(_) => false,
            }
    }

    /// Answers a request whose lookup failed with an old record, or with the error.
    fn fall_back(
        &self,
        digest: &KeyDigest,
        error: StoreError,
    ) -> Result<Option<SharedRecord>, StoreError> {
        self.old(digest).map_or(Err(error), |record| Ok(Some(record)))
    }

    /// Returns the record that is usable while the store cannot answer.
    fn old(&self, digest: &KeyDigest) -> Option<SharedRecord> {
        let (now, kept) = self.read(|known| known.find(digest));
        let kept = kept?;
        (kept.age(&now) != Age::Over).then(|| {
            self.observe(|| CacheAnswer::Old { age: kept.time_since_proof(&now) });
            self.serve(digest, &now, kept)
        })
    }

    /// Calls the observer, if one is set.
    #[inline]
    fn observe(&self, answer: impl FnOnce() -> CacheAnswer) {
        if let Some(observer) = &self.settings.observer {
            observer.answered(answer());
        }
    }

    /// Reads the clocks.
    pub(super) fn moment(&self) -> Moment {
        Moment::now(&*self.settings.clock)
    }

    pub(super) fn invalidate(&self, what: &Invalidation) {
        let named = if let Invalidation::Secret(digest) = what { Some(digest) } else { None };
        self.lookups.detach(named, || {
            self.notices.record(what);
            if let Some(digest) = named {
                self.known.remove(digest);
                self.unknown.remove(digest);
            }
        });
    }

    /// Returns the cached record of a secret, and its age.
    #[cfg(all(test, shuttle))]
    pub(super) fn kept(&self, digest: &KeyDigest) -> Option<(Arc<Kept>, Age)> {
        let (now, kept) = self.read(|known| known.find(digest));
        let kept = kept?;
        let age = kept.age(&now);
        Some((kept, age))
    }
}
