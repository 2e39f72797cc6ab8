//! Permits in Redis, which limit the simultaneous requests of an account on a route over all processes.

mod held;
mod keeper;
mod limiter;
mod queue;

pub use limiter::RedisConcurrency;
