//! The promises of a [`KeyManager`](crate::store::KeyManager).

mod accounts;
mod commands;
mod keys;
mod lists;
mod longest_texts;
mod most_keys;
mod policies;
mod policy_changes;
mod promises;
mod secrets;
mod support;
mod trail;
mod updates;

pub use promises::{__check_store, STORE_PROMISES, store_suite};
