//! A limiter in memory: exact in one process, bounded, and forgetful of idle accounts.

mod limiter;
mod meter;
mod meters;
mod place;
#[cfg(all(test, shuttle))]
mod schedules;
mod shard;
mod shards;
mod subject;

pub use limiter::MemoryLimiter;
