//! The promises of a store, as tests: for a store of your own; and grants for unit tests of handlers.
//!
//! This room guards the meaning of [`KeyManager`](crate::store::KeyManager). A store conforms if
//! [`store_suite`] returns; a broken promise panics with its name and what was found. The stores of this
//! crate are held to the same suite, and the suite to stores with planted faults.
//!
//! [`store_suite`] writes and deletes keys and accounts, so give it an empty database that nobody needs.
//!
//! [`grant`] and [`grant_for`] make what a gate leaves for a handler, for unit tests of the handler.

mod accounts;
mod grant;
mod keys;
mod secrets;
mod suite;
mod support;

pub use grant::{grant, grant_for};
pub use suite::store_suite;
