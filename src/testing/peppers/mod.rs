//! The promises of a [`PepperManager`](crate::store::PepperManager).

mod digests;
mod promises;
mod support;
mod usage;

pub use promises::{__check_peppers, PEPPER_PROMISES};
