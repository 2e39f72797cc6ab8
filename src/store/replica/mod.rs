//! A copy of all records of another store, in memory. [`Replica`] says when it answers a lookup.
//!
//! One task reads all pages of a [`KeyFeed`](super::KeyFeed) into a table, and then follows the changes. A successful
//! question for changes is a proof: the table holds every change that was made before the question. Each request
//! compares the age of the last proof with the staleness.
//!
//! A feed whose history is another one than before is read anew, into a second table beside the first one. The first
//! one still answers as long as its last proof is young enough.

mod applying;
mod builder;
mod cursor;
mod follow;
mod freshness;
mod gauge;
mod manager;
mod notices;
mod pace;
mod peppers;
mod progress;
mod recent_uses;
mod repairs;
mod replicated;
#[cfg(all(test, shuttle))]
mod schedules;
mod settings;
mod shared;
mod unproven;

pub use builder::ReplicaBuilder;
pub use gauge::{ReplicaGauge, ReplicaState};
pub use replicated::Replica;
pub use settings::WhenStale;
