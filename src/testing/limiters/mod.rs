//! The promises of a [`Limiter`](crate::limits::Limiter).

mod bounds;
mod charging;
mod client;
mod instants;
mod networks;
mod promises;
mod refunds;
mod shadow;
mod subjects;
mod threads;

pub use promises::{__check_limiter, LIMITER_PROMISES};
