//! Tokens that this process takes in advance, and spends without a call to the server.
//!
//! A [`Lease`] sets how many tokens, and for how long. A request is answered from the account's tokens or last
//! refusal. Otherwise it waits for a call, and one call asks for all waiting requests.

mod account;
mod batch;
mod demand;
mod flight;
mod flight_question;
mod refusals;
mod rule;
mod server_clock;
mod shard;
mod table;
mod timer;

pub(crate) use flight::Flight;
pub use rule::Lease;
pub(crate) use shard::LeaseReply;
pub(crate) use table::{LeaseTable, NextStep};
