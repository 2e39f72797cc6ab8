//! Notices of changes from the store.

use std::pin::pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::sync::watch;

use super::super::KeyStore;
use super::super::invalidation::{Invalidation, Invalidations};
use super::cache::Cached;
use super::inner::SharedCache;

/// The first pause after a failure. Each further failure doubles the pause.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

impl<S: KeyStore> Cached<S> {
    /// Applies the changes that a store reports, until the cache is dropped. Spawn the future. When it ends, `changes`
    /// is dropped, and its connection with it.
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
            loop {
                let Some(notice) = unless(&mut end, changes.next()).await else { return };
                let Some(inner) = cache.upgrade() else { return };
                let cached = Self(inner);
                // Once when notices are lost, and once when they come again. Records in between
                // were asked for after the first failure, so further failures change nothing.
                if lost != notice.is_err() {
                    lost = notice.is_err();
                    cached.invalidate(&Invalidation::Everything);
                }
                if let Ok(what) = notice {
                    pause = FIRST_PAUSE;
                    cached.invalidate(&what);
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

/// Waits for a future. Returns `None` if the sender is dropped before.
async fn unless<T>(end: &mut watch::Receiver<()>, future: impl Future<Output = T>) -> Option<T> {
    match select(pin!(end.changed()), pin!(future)).await {
        Either::Left(_) => None,
        Either::Right((output, _)) => Some(output),
    }
}
