//! A replica answers as its store does, and never by records older than it may.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::unchecked_time_subtraction)] // Constants.

mod answers;
mod fake;
mod following;
mod freshness;
#[cfg(feature = "metrics")]
mod gauges;
mod measured;
mod model;
mod repairs;
mod support;
mod world;

mod promises {
    use crate::fake::Fake;

    tower_api_key::feed_tests!(Fake::new);
}
