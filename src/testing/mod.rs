//! The promises of a store, as tests: for a store of your own.
//!
//! This room guards the meaning of [`KeyManager`](crate::store::KeyManager). A store conforms if
//! [`store_suite`] returns; a broken promise panics with its name and what was found. The stores of this
//! crate are held to the same suite, and the suite to stores with planted faults.
//!
//! It writes and deletes keys and accounts, so give it an empty database that nobody needs.

mod accounts;
mod keys;
mod secrets;
mod suite;
mod support;

pub use suite::store_suite;
