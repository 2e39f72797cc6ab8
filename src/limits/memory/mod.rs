//! A limiter in memory. It is exact within one process, has bounded memory, and forgets idle accounts.

mod accounts;
mod limiter;
mod meter;
mod meters;
mod network_shard;
mod networks;
mod place;
#[cfg(all(test, shuttle))]
mod schedules;
mod shard;
mod shards;
mod site_counts;
mod subject;

pub use limiter::MemoryLimiter;
