//! The cached records, by the digests of their secrets.

use std::cell::Cell;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use quick_cache::Equivalent;
use quick_cache::sync::Cache;

use super::kept::Kept;
use crate::key::{Bookmark, CounterPlace, KeyDigest};

/// The cached records. Beside the digest of each lies a copy of the record's bookmark, which says where a limiter keeps the
/// counters of its account. So a limiter can load the counters from memory while the record is loaded.
pub(super) struct Known(Cache<KnownKey, Arc<Kept>>);

/// What a record is found by.
struct KnownKey {
    digest: KeyDigest,
    /// What was last seen in the record's bookmark.
    bookmark: Bookmark,
}

/// A search for a record.
struct Search<'a> {
    digest: &'a KeyDigest,
    preload: &'a dyn Fn(CounterPlace),
    /// The bookmark beside the digest that was found.
    bookmark: Cell<u32>,
}

/// A search that changes the bookmark beside a digest.
struct Note<'a> {
    digest: &'a KeyDigest,
    bookmark: u32,
}

impl Known {
    /// Creates a cache for this many records.
    pub(super) fn new(capacity: usize) -> Self {
        Self(Cache::new(capacity))
    }

    /// Returns the number of records.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the record of a secret.
    pub(super) fn find(&self, digest: &KeyDigest) -> Option<Arc<Kept>> {
        self.0.get(digest)
    }

    /// Returns the record of a secret, and tells before it is read where the counters of its account are.
    pub(super) fn find_and_preload(
        &self,
        digest: &KeyDigest,
        preload: &dyn Fn(CounterPlace),
    ) -> Option<Arc<Kept>> {
        let search = Search { digest, preload, bookmark: Cell::new(0) };
        let kept = self.0.get(&search)?;
        let bookmark = kept.record.bookmark().place();
        if bookmark != search.bookmark.get() {
            self.0.contains_key(&Note { digest, bookmark });
        }
        Some(kept)
    }

    /// Keeps the record of a secret.
    pub(super) fn insert(&self, digest: KeyDigest, kept: Kept) {
        let bookmark = kept.record.bookmark().clone();
        self.0.insert(KnownKey { digest, bookmark }, Arc::new(kept));
    }

    /// Forgets the record of a secret.
    pub(super) fn remove(&self, digest: &KeyDigest) {
        self.0.remove(digest);
    }
}

impl Hash for KnownKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digest.hash(state);
    }
}

impl PartialEq for KnownKey {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for KnownKey {}

impl Equivalent<KnownKey> for KeyDigest {
    fn equivalent(&self, key: &KnownKey) -> bool {
        *self == key.digest
    }
}

impl Hash for Search<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digest.hash(state);
    }
}

impl Equivalent<KnownKey> for Search<'_> {
    fn equivalent(&self, key: &KnownKey) -> bool {
        if *self.digest != key.digest {
            return false;
        }
        self.bookmark.set(key.bookmark.place());
        if let Some(place) = key.bookmark.counters() {
            (self.preload)(place);
        }
        true
    }
}

impl Hash for Note<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digest.hash(state);
    }
}

impl Equivalent<KnownKey> for Note<'_> {
    fn equivalent(&self, key: &KnownKey) -> bool {
        let is_it = *self.digest == key.digest;
        if is_it {
            key.bookmark.note(self.bookmark);
        }
        is_it
    }
}
