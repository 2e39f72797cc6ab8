//! A simulation of a fleet of gates, with the real code of leases, cache and replica.
//!
//! Time is virtual, so minutes take seconds. One thread runs all nodes and servers, and random numbers depend on the
//! seed alone. So the same seed prints the same.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a simulation that is wrong should end at once"
)]

pub mod chance;
pub mod database;
pub mod judge;
pub mod limits;
pub mod network;
pub mod node;
pub mod redis;
pub mod report;
pub mod scenarios;
pub mod store_mode;
pub mod store_scenarios;
pub mod stores;
pub mod time;
