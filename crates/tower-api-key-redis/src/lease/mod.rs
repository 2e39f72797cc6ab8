//! Tokens that this process takes in advance, and spends without asking the server.
//!
//! A [`Lease`] says how many and for how long. What is held of an account answers a request, or lets it
//! wait for one call that asks for all that wait.

mod account;
mod batch;
mod flight;
mod rule;
mod table;

pub(crate) use flight::Flight;
pub use rule::Lease;
pub(crate) use table::{LeaseReply, LeaseTable, NextStep};
