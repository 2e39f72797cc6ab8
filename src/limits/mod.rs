//! Limiters, which count the requests of accounts and keys over time.
//!
//! This module guards each account's share of the service. A request passes if
//!
//! 1. every quota that applies to it has room for its cost. The quotas of the key apply. A key without quotas
//!    uses those of its account, then those of the account's plan, then those of the profile. The quotas of the
//!    route apply as well;
//! 2. the limiter charges all of these quotas in one step. If one quota refuses, the limiter charges none. A
//!    refused request never makes a window longer;
//! 3. the route has a free [permit](crate::concurrency) for the account, or a permit becomes free within the
//!    longest wait.
//!
//! A request without a valid key has no account, so no quota of an account applies to it.
//! [`AnonymousQuotas`] limit the requests of its network where no key is needed, and
//! [`FailedAttempts`](crate::attempts::FailedAttempts) its failed attempts. If the limiter cannot answer, [`OnLimiterFailure`](crate::quota::OnLimiterFailure) decides for each quota.
//!
//! # Deployment
//!
//! [`MemoryLimiter`] and [`MemoryConcurrency`](crate::concurrency::MemoryConcurrency) count in this process
//! alone. Behind `n` processes an account can have up to `n` times its quota and its permits. `RedisLimiter`
//! and `RedisConcurrency` of the crate `tower-api-key-redis` count for all processes together.

mod anonymous;
mod failures;
mod fallback;
mod limiter;
mod limiter_fallback;
mod memory;
mod plans;

pub use anonymous::AnonymousQuotas;
pub(crate) use failures::FailureCounts;
pub use failures::LimiterFailures;
pub(crate) use fallback::FallbackLimiter;
pub use limiter::{Charge, ChargeMode, Limiter, MAX_DISORDER, Refund};
pub use limiter_fallback::LimiterFallback;
pub use memory::MemoryLimiter;
pub use plans::Plans;
pub(crate) use plans::{Plan, UnknownPlan};

pub use crate::error::LimiterError;
