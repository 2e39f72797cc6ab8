//! A cache of records in memory, in front of a slow or remote store. [`Cached`] says when it answers a lookup
//! from memory.
//!
//! The cache keeps an answer unless a notice named its secret or its account while the store was asked. Other
//! notices do not matter. A request that comes after a notice never takes the answer of a lookup that began
//! before the notice. That holds for a notice about its secret, its account or everything. Applying a notice
//! takes constant time, whatever the number of records.
//!
//! Unknown secrets have a table of their own, so that random ones neither evict records nor fill the memory.

mod answer;
mod builder;
mod cache;
mod guard;
mod inner;
mod kept;
mod listen;
mod lookups;
mod manager;
mod moment;
mod notices;
mod observer;
mod peppers;
mod proofs;
#[cfg(all(test, shuttle))]
mod schedules;
mod settings;
mod table;
mod under_way;

pub use builder::CachedBuilder;
pub use cache::Cached;
pub use observer::{CacheAnswer, CacheObserver};
