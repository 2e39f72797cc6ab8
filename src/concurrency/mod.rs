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
//! # WebSockets
//!
//! The response to a WebSocket handshake has no body, so its permit is given back at once: a limit of 1 admits any
//! number of sockets, one handshake after the other. A handler that serves a socket asks for the permit with
//! [`Grant::permit`](crate::Grant::permit), and holds it as long as the socket is open. Then [`Concurrency::new(1)`
//! ](Concurrency::new) means one socket for each account on the route.
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
mod usage;

pub(crate) use limiter::PermitReference;
pub use limiter::{Acquire, ConcurrencyLimiter, Permit, PermitGone};
pub use memory::MemoryConcurrency;
pub use rule::Concurrency;
