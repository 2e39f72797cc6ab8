//! Digests by several peppers, through the cache.

use super::super::invalidation::Invalidation;
use super::super::manage::{ManageFuture, PepperManager, PepperUsage, Rehash};
use super::cache::Cached;
use super::manager::Changed;

impl<S: PepperManager> PepperManager for Cached<S> {
    fn rehash<'a>(&'a self, secrets: Vec<Rehash>, by: &'a str) -> ManageFuture<'a, u64> {
        Box::pin(async move {
            let mut changed = Changed::new(self);
            // The newer digest is no longer unknown, and the former one may be deleted.
            let digests = secrets.iter().flat_map(|secret| [secret.from, secret.to]);
            changed.notices.extend(digests.map(Invalidation::Secret));
            self.store().rehash(secrets, by).await
        })
    }

    fn pepper_usage(&self) -> ManageFuture<'_, Vec<PepperUsage>> {
        self.store().pepper_usage()
    }
}
