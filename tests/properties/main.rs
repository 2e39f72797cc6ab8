//! What holds of every key, route, network, chain of proxies and order of events, looked for with
//! random ones. A failure is written to `proptest-regressions` and tried first from then on.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::large_stack_arrays
)]

#[path = "../support/mod.rs"]
mod support;

mod extremes;
mod hostile;
mod limits;
mod presented;
mod proxies;
mod refunds;
mod rights;
mod round_trips;
mod scopes;
#[cfg(feature = "shaping")]
mod shaping;
