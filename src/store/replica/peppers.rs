//! Digests by several peppers, through a replica.

use super::super::feed::KeyFeed;
use super::super::manage::{ManageFuture, PepperManager, PepperUsage, Rehash};
use super::replicated::Replica;

impl<F: PepperManager + KeyFeed> PepperManager for Replica<F> {
    fn rehash<'a>(&'a self, secrets: Vec<Rehash>, by: &'a str) -> ManageFuture<'a, u64> {
        self.change(self.store().rehash(secrets, by))
    }

    fn pepper_usage(&self) -> ManageFuture<'_, Vec<PepperUsage>> {
        self.store().pepper_usage()
    }
}
