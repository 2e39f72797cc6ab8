//! The promises of [`Limiter`].

mod bounds;
mod charging;
mod client;
mod instants;
mod promises;
mod shadow;
mod subjects;
mod threads;

pub use promises::{__check_limiter, LIMITER_PROMISES};
