//! Simultaneous requests: so many of an account at once on a route, and a bounded wait for more.

mod limiter;
mod memory;
mod rule;
#[cfg(all(test, shuttle))]
mod schedules;

pub use limiter::{Acquire, ConcurrencyLimiter, Permit};
pub use memory::MemoryConcurrency;
pub use rule::Concurrency;
