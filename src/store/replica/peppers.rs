//! Digests by several peppers, through a replica.

use super::super::feed::KeyFeed;
use super::super::manage::{KeyEntry, ManageFuture, NewSecret, PepperManager, PepperUsage, Rehash};
use super::replicated::Replica;
use crate::clock::Timestamp;

impl<F: PepperManager + KeyFeed> PepperManager for Replica<F> {
    fn rotate_to<'a>(
        &'a self,
        id: &'a str,
        secret: NewSecret,
        until: Timestamp,
        by: &'a str,
    ) -> ManageFuture<'a, KeyEntry> {
        self.change(self.store().rotate_to(id, secret, until, by))
    }

    fn rehash<'a>(&'a self, secrets: Vec<Rehash>, by: &'a str) -> ManageFuture<'a, u64> {
        self.change(self.store().rehash(secrets, by))
    }

    fn pepper_usage(&self) -> ManageFuture<'_, Vec<PepperUsage>> {
        self.store().pepper_usage()
    }
}
