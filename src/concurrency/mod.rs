//! Simultaneous requests: so many of an account at once on a route, and a bounded wait for more.

mod memory;
mod places;
mod rule;
#[cfg(all(test, shuttle))]
mod schedules;

pub use memory::MemoryPlaces;
pub use places::{Entered, Entry, Permit, Places};
pub use rule::Concurrency;
