//! The table of a cache: entries by their digests, and the choice of the one that leaves a full table.

mod buckets;
mod eviction;
mod mark;
mod shard;
mod slot;
#[expect(clippy::module_inception, reason = "the file has the type that the folder is named after")]
mod table;

pub(super) use slot::CacheEntry;
pub(super) use table::CacheTable;
