//! The table of a cache: entries by their digests, and the choice of the one that leaves a full table.

mod buckets;
mod eviction;
mod mark;
#[cfg(all(test, shuttle))]
mod schedules;
mod shard;
mod slot;
#[expect(clippy::module_inception, reason = "the file has the type that the folder is named after")]
mod table;
#[cfg(test)]
mod tests;

pub(super) use slot::CacheEntry;
pub(super) use table::CacheTable;
