//! Hearing what the store says has changed.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::super::KeyStore;
use super::super::invalidation::{Invalidation, Invalidations};
use super::cache::Cached;
use super::inner::SharedCache;

/// The first pause after word was lost, doubled with each failure after it.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

impl<S: KeyStore> Cached<S> {
    /// Applies what a store tells of its changes, until the cache is dropped; to be spawned. When word is
    /// lost, anything may have changed: the store is asked for each record again, and each still serves if
    /// the store cannot answer, until it is older than staleness and grace. Word is asked for again after
    /// a pause, and once it comes, anything may have changed in between.
    ///
    /// ```
    /// # use tower_api_key::store::{Cached, Invalidations, MemoryStore};
    /// # async fn example(store: Cached<MemoryStore>, changes: impl Invalidations) {
    /// tokio::spawn(store.listen(changes));
    /// # }
    /// ```
    pub fn listen(
        &self,
        mut changes: impl Invalidations,
    ) -> impl Future<Output = ()> + Send + 'static {
        let cache: Weak<SharedCache<S>> = Arc::downgrade(&self.0);
        async move {
            let mut pause = FIRST_PAUSE;
            let mut lost = false;
            loop {
                let word = changes.next().await;
                let Some(inner) = cache.upgrade() else { return };
                let cached = Self(inner);
                // Once when word is lost, and once when it is back: what is kept in between was asked for
                // after the first, and each further failure says nothing new.
                if lost != word.is_err() {
                    lost = word.is_err();
                    cached.invalidate(&Invalidation::Everything);
                }
                if let Ok(what) = word {
                    pause = FIRST_PAUSE;
                    cached.invalidate(&what);
                } else {
                    drop(cached);
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }
}
