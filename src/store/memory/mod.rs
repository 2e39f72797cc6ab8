//! A store in memory. Lookups take no lock, and every change applies to the next request.

mod account_index;
mod bounds;
mod commands;
#[cfg(feature = "replica")]
mod copied;
#[cfg(feature = "replica")]
mod copied_keys;
mod history;
mod index;
mod line;
mod lookup;
mod manager;
mod page;
mod peppers;
mod present;
mod requests;
#[cfg(all(test, shuttle))]
mod schedules;
mod slots;
mod store;
mod table;
mod writer;

#[cfg(feature = "replica")]
pub(super) use copied::CopiedSecrets;
pub use store::MemoryStore;
