//! Notices of changes from the store.

use std::pin::pin;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};
use tokio::sync::watch;

use super::super::KeyStore;
use super::super::invalidation::{Invalidation, Invalidations};
use super::cache::Cached;
use super::inner::SharedCache;
use super::moment::Moment;

/// The first pause after a failure. Each further failure doubles the pause.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

impl<S: KeyStore> Cached<S> {
    /// Applies the changes that a store reports, until the cache is dropped. Spawn the future. When it ends, `changes`
    /// is dropped, and its connection with it.
    ///
    /// If `changes` also returns proofs of life, as those of `SqlStore` over PostgreSQL do, the age of records
    /// counts from the last proof. The store is then asked for a record once, instead of every 5 seconds.
    ///
    /// Call this once for each source of changes. If the future of one source is dropped, its last proof stays
    /// the oldest, and records are read again as without proofs.
    ///
    /// If `changes` fails, anything may have changed. The cache then asks the store for each record again. A
    /// record is still answered if the store cannot answer, until the record is older than staleness and
    /// grace together. The cache calls `changes` again after a pause: 50 milliseconds at first, 5 seconds at
    /// most. When notices come again, the cache asks the store for each record once more.
    ///
    /// ```
    /// use tower_api_key::store::{Cached, Invalidations, MemoryStore};
    ///
    /// # async fn example(store: Cached<MemoryStore>, changes: impl Invalidations) {
    /// tokio::spawn(store.listen(changes));
    /// # }
    /// ```
    pub fn listen(
        &self,
        mut changes: impl Invalidations,
    ) -> impl Future<Output = ()> + Send + 'static {
        let cache: Weak<SharedCache<S>> = Arc::downgrade(&self.0);
        let mut end = self.0.end.subscribe();
        async move {
            let mut pause = FIRST_PAUSE;
            let mut lost = false;
            // Whether the source has reported everything that changed since the first record was read.
            let mut whole = false;
            let Some(inner) = cache.upgrade() else { return };
            let source = inner.notices.proofs.add_source();
            let mut start = Start::now(&inner);
            drop(inner);
            loop {
                let Some(notice) = unless(&mut end, changes.next()).await else { return };
                let Some(inner) = cache.upgrade() else { return };
                let cached = Self(inner);
                // Once when notices are lost, and once when they come again. Records in between
                // were asked for after the first failure, so further failures change nothing.
                if lost != notice.is_err() {
                    lost = notice.is_err();
                    whole = true;
                    cached.invalidate(&Invalidation::Everything);
                }
                if let Ok(what) = notice {
                    pause = FIRST_PAUSE;
                    cached.invalidate(&what);
                    whole |= what == Invalidation::Everything;
                    if let Invalidation::UpToDate(instant) = what {
                        if !std::mem::replace(&mut whole, true) {
                            // Records from before the source listened have no proof.
                            cached.invalidate(&Invalidation::Everything);
                        }
                        let proof = start.moment_of(instant, &cached.0);
                        start = Start::now(&cached.0);
                        if let Some(proof) = proof {
                            cached.0.notices.proofs.record(source, proof);
                        }
                    }
                } else {
                    drop(cached);
                    if unless(&mut end, tokio::time::sleep(pause)).await.is_none() {
                        return;
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }
}

/// An instant by the clocks of the cache, and by the clock of the proofs.
struct Start {
    /// Read first, so that it is not later than the other if the process stops in between.
    moment: Moment,
    instant: Instant,
}

impl Start {
    fn now<S: KeyStore>(inner: &SharedCache<S>) -> Self {
        let moment = inner.moment();
        Self { moment, instant: tokio::time::Instant::now().into_std() }
    }

    /// Returns an instant since the start by the clocks of the cache. An instant before the start has none.
    fn moment_of<S: KeyStore>(&self, instant: Instant, inner: &SharedCache<S>) -> Option<Moment> {
        let since = instant.checked_duration_since(self.instant)?;
        // No later than now, if the wall clock was set back, or a test stopped one of the clocks.
        Some(self.moment.plus(since).earlier(inner.moment()))
    }
}

/// Waits for a future. Returns `None` if the sender is dropped before.
async fn unless<T>(end: &mut watch::Receiver<()>, future: impl Future<Output = T>) -> Option<T> {
    match select(pin!(end.changed()), pin!(future)).await {
        Either::Left(_) => None,
        Either::Right((output, _)) => Some(output),
    }
}
