//! Conformance kits for stores and limiters of your own, and grants for unit tests of handlers.
//!
//! Each kit is a macro that writes one `#[test]` for each promise, so that a failure names the promise
//! and says what was expected. It needs a function that makes a fresh store or limiter, and nothing in
//! `Cargo.toml` but the feature `testing`, under `[dev-dependencies]`.
//!
//! | what you have | kit | promises |
//! |---|---|---|
//! | a [`KeyManager`](crate::store::KeyManager) | [`store_tests!`](crate::store_tests) | [`STORE_PROMISES`] |
//! | a [`KeyStore`](crate::store::KeyStore) that only looks up | [`lookup_tests!`](crate::lookup_tests) | [`LOOKUP_PROMISES`] |
//! | a [`Limiter`](crate::limits::Limiter) | [`limiter_tests!`](crate::limiter_tests) | [`LIMITER_PROMISES`] |
//! | a limiter of simultaneous requests, [`ConcurrencyLimiter`](crate::concurrency::ConcurrencyLimiter) | [`concurrency_tests!`](crate::concurrency_tests) | [`CONCURRENCY_PROMISES`] |
//!
//! The stores and limiters of this project pass the same tests.
//!
//! ```
//! use tower_api_key::Reply;
//! use tower_api_key::key::KeyDigest;
//! use tower_api_key::store::{KeyStore, MemoryStore, StoreError};
//! use tower_api_key::testing::Records;
//!
//! /// A store of your own.
//! struct Directory(MemoryStore);
//!
//! impl KeyStore for Directory {
//!     fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
//!         self.0.find(digest)
//!     }
//! }
//!
//! async fn make_directory(records: Records) -> Directory {
//!     let store = MemoryStore::new();
//!     for (digest, record) in records {
//!         store.add_now(digest, record);
//!     }
//!     Directory(store)
//! }
//!
//! // In `tests/directory.rs`, or in a module under `#[cfg(test)]`:
//! tower_api_key::lookup_tests!(make_directory);
//! # fn main() {}
//! ```
//!
//! A test fails like this one, of a store that looks at the first 128 bits only:
//!
//! ```text
//! ---- all_256_bits_count stdout ----
//! the promise `all_256_bits_count` is broken: a digest that differs in bit 128 is found
//! ```
//!
//! The tests of a store write and delete keys and accounts: give them a database that nobody needs.
//!
//! [`grant`] and [`grant_for`] make what a gate leaves for a handler, for unit tests of the handler.

mod fresh;
mod grant;
mod in_flight;
mod limiters;
mod lookups;
mod managers;
mod outcome;
mod promise;

pub use fresh::{Fresh, Make, Maker, Records};
#[doc(hidden)]
pub use fresh::{Later, Making, Now};
pub use grant::{grant, grant_for};
pub use in_flight::{__check_concurrency, CONCURRENCY_PROMISES};
pub use limiters::{__check_limiter, LIMITER_PROMISES};
pub use lookups::{__check_lookups, LOOKUP_PROMISES};
pub use managers::{__check_store, STORE_PROMISES, store_suite};
pub use promise::Promise;
