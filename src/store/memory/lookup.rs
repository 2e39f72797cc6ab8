//! Lookups in memory, which take no lock.

use super::super::{KeyStore, StoreError};
use super::store::MemoryStore;
use crate::key::{CounterPlace, KeyDigest, SharedRecord};
use crate::sync::Reply;

impl KeyStore for MemoryStore {
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        Reply::now(Ok(self.find_now(digest)))
    }

    fn find_and_preload(
        &self,
        digest: &KeyDigest,
        preload: &dyn Fn(CounterPlace),
    ) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        Reply::now(Ok(self.find_now_and_preload(digest, preload)))
    }
}

impl MemoryStore {
    /// Finds a record by all 256 bits of its digest.
    pub(in crate::store) fn find_now(&self, digest: &KeyDigest) -> Option<SharedRecord> {
        self.0.table.load().find(digest)
    }

    /// Finds a record, and tells before it is read where the counters of its account are.
    pub(in crate::store) fn find_now_and_preload(
        &self,
        digest: &KeyDigest,
        preload: &dyn Fn(CounterPlace),
    ) -> Option<SharedRecord> {
        self.0.table.load().find_and_preload(digest, preload)
    }
}
