//! Conformance kits for stores and limiters of your own, and grants for unit tests of handlers.
//!
//! A kit is a macro that writes one `#[test]` for each promise. A failure names the promise, and says what
//! was expected. The argument of the macro is a function that makes a new store or limiter. `Cargo.toml`
//! needs only the feature `testing` of this crate, under `[dev-dependencies]`.
//!
//! | your type | kit | promises |
//! |---|---|---|
//! | a [`KeyManager`](crate::store::KeyManager) | [`store_tests!`](crate::store_tests) | [`STORE_PROMISES`] |
//! | a [`PepperManager`](crate::store::PepperManager) | [`pepper_tests!`](crate::pepper_tests) | [`PEPPER_PROMISES`] |
//! | a [`KeyStore`](crate::store::KeyStore) that only looks up | [`lookup_tests!`](crate::lookup_tests) | [`LOOKUP_PROMISES`] |
//! | a [`KeyFeed`](crate::store::KeyFeed) | [`feed_tests!`](crate::feed_tests) | [`FEED_PROMISES`] |
//! | a [`Limiter`](crate::limits::Limiter) | [`limiter_tests!`](crate::limiter_tests) | [`LIMITER_PROMISES`] |
//! | a [`ConcurrencyLimiter`](crate::concurrency::ConcurrencyLimiter) | [`concurrency_tests!`](crate::concurrency_tests) | [`CONCURRENCY_PROMISES`] |
//!
//! The stores and limiters of this project pass the same tests.
//!
//! ```
//! use tower_api_key::Reply;
//! use tower_api_key::key::{KeyDigest, SharedRecord};
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
//! This is the failure of a store that compares only the first 128 bits of a digest:
//!
//! ```text
//! ---- all_256_bits_count stdout ----
//! the promise `all_256_bits_count` is broken: a lookup found a key by a digest that differs in bit 128
//! ```
//!
//! The tests of a store write and delete keys and accounts. Give them a database without other data.
//!
//! [`grant`] and [`grant_for`] create the grant that a gate passes to a handler, for unit tests of the
//! handler.

mod feeds;
mod fresh;
mod grant;
mod in_flight;
mod limiters;
mod lookups;
mod managers;
mod outcome;
mod peppers;
mod promise;

pub use feeds::{__check_feed, FEED_PROMISES, ManagedFeed};
pub use fresh::{Fresh, Make, Maker, Records};
#[doc(hidden)]
pub use fresh::{Later, Making, Now};
pub use grant::{grant, grant_for};
pub use in_flight::{__check_concurrency, CONCURRENCY_PROMISES};
pub use limiters::{__check_limiter, LIMITER_PROMISES};
pub use lookups::{__check_lookups, LOOKUP_PROMISES};
pub use managers::{__check_store, STORE_PROMISES, store_suite};
pub use peppers::{__check_peppers, PEPPER_PROMISES};
pub use promise::Promise;
