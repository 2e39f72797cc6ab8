//! Limits on the simultaneous requests of an account on a route.
//!
//! This module guards the service against one account that sends too many requests at once. A request on a
//! route with a [`Concurrency`] limit needs a [`Permit`]. It passes if
//!
//! 1. its account has fewer requests in flight on the route than the limit; or
//! 2. a permit becomes free within the longest wait, and the queue had room for the request.
//!
//! The gate refuses other requests with [`ConcurrencyExceeded`](crate::Denial::ConcurrencyExceeded). The
//! permit is held until the response's body has ended or was dropped. If the [`ConcurrencyLimiter`] cannot
//! answer, [`OnLimiterFailure`](crate::quota::OnLimiterFailure) decides.
//!
//! # Deployment
//!
//! [`MemoryConcurrency`] counts in this process alone. Behind `n` processes an account can have up to `n`
//! times its limit in flight. `RedisConcurrency` of the crate `tower-api-key-redis` counts for all processes.

mod limiter;
mod memory;
mod rule;
#[cfg(all(test, shuttle))]
mod schedules;

pub use limiter::{Acquire, ConcurrencyLimiter, Permit};
pub use memory::MemoryConcurrency;
pub use rule::Concurrency;
