//! How often: request limits over time, and simultaneous requests.
//!
//! This room guards an account's share of the service. A request passes if
//!
//! 1. every quota that applies has room for its cost: those of the key, else of its account, else
//!    of the account's plan, else of the profile, and those of the route besides;
//! 2. all of them are charged at once; if one refuses, none is charged, and a refused request never
//!    makes a window longer;
//! 3. the route has a free place for the account, or one becomes free within the longest wait.
//!
//! Strangers have no account: where [`FailedAttempts`](crate::attempts::FailedAttempts) are limited, their network's share is of the
//! attempts that fail. A limiter that cannot answer lets a request pass, or does not, as
//! [`OnLimiterFailure`](crate::quota::OnLimiterFailure) says for each quota.
//!
//! [`MemoryLimiter`] and [`MemoryConcurrency`](crate::concurrency::MemoryConcurrency) count in this process alone: behind `n` processes an account
//! can have up to `n` times its quota, and its places.
//! `RedisLimiter` and `RedisConcurrency` of the crate `tower-api-key-redis` count for all of them.

mod fallback;
mod limiter;
mod memory;
mod plans;

pub(crate) use fallback::FallbackLimiter;
pub use fallback::{LimiterFailures, LimiterFallback};
pub use limiter::{Charge, ChargeMode, Limiter, MAX_DISORDER};
pub use memory::MemoryLimiter;
pub use plans::Plans;
pub(crate) use plans::{Plan, UnknownPlan};

pub use crate::error::LimiterError;
