//! Key stores: the trait with which a gate looks up keys, management of keys, and a store in memory.
//!
//! This module guards the way from a digest to a record. A store answers a lookup with
//!
//! 1. the record of the key that has exactly this digest, all 256 bits of it;
//! 2. `None`, if the store is sure that no key has this digest;
//! 3. a [`StoreError`] in every other case. The gate then refuses the request with 503. It never takes a
//!    failure for an unknown key.
//!
//! A store knows nothing of gates. Two gates on one store accept each other's keys. To separate them, give
//! each gate an [audience](crate::ApiKeyLayerBuilder::audience) and let each key name one, or give each gate
//! a store of its own.
//!
//! # A store of your own
//!
//! For a gate, implement [`KeyStore`]. It returns the record of a digest, under the present state of the
//! record's account.
//!
//! ```
//! use std::collections::HashMap;
//! use std::sync::Arc;
//! use tower_api_key::Reply;
//! use tower_api_key::key::{Account, AccountId, KeyDigest, KeyRecord, SharedRecord};
//! use tower_api_key::store::{KeyStore, StoreError};
//!
//! /// Keeps keys and accounts in two maps that never change.
//! struct Fixed {
//!     keys: HashMap<KeyDigest, KeyRecord>,
//!     accounts: HashMap<AccountId, Arc<Account>>,
//! }
//!
//! impl KeyStore for Fixed {
//!     fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
//!         let Some(record) = self.keys.get(digest).cloned() else {
//!             return Reply::now(Ok(None)); // unknown key: the gate refuses with 401
//!         };
//!         let Some(account) = self.accounts.get(record.account().id()) else {
//!             return Reply::now(Err(StoreError::new("a key has no account"))); // 503
//!         };
//!         // The scopes, quotas and disabled state of the account apply as they are stored now.
//!         let record = record.with_account(Arc::clone(account)).map_err(StoreError::new);
//!         Reply::now(record.map(|record| Some(record.into())))
//!     }
//! }
//! ```
//!
//! A lookup that waits returns [`Reply::later`](crate::Reply::later). Implement the rest if your store needs
//! it:
//!
//! | your store | implements or uses |
//! |---|---|
//! | can write | [`KeyManager`]: every change calls [`CommandOptions::check`] first and writes a [`Change`] |
//! | changes a key | [`apply_update`], with the rules that hold for every update |
//! | records the pepper of each secret | [`PepperManager`] |
//! | rotates keys | [`Retention`]: which expired secrets to delete, and which to hide |
//! | can have rows that it cannot read | [`Page`] and [`BrokenRow`] |
//! | is behind a cache and reports changes | [`Invalidations`], which yields [`Invalidation`]s |
//! | is copied whole by each node | [`KeyFeed`], which reads pages and the changes since |
//!
//! The feature `testing` has tests for the promises of a store: `store_tests!` for a [`KeyManager`],
//! `lookup_tests!` for a [`KeyStore`] that cannot write, and `feed_tests!` for a [`KeyFeed`].
//!
//! # Deployment
//!
//! A cache or a replica keeps accepting a revoked key for a bounded time. State that time to your users. For
//! [`MemoryStore`] the time is zero.

mod background_writes;
#[cfg(feature = "cache")]
mod cached;
mod feed;
mod invalidation;
mod key_store;
mod lines;
mod manage;
mod memory;
mod rehasher;
#[cfg(feature = "replica")]
mod replica;
#[cfg(any(feature = "cache", feature = "replica"))]
mod sure_age;
#[cfg(any(feature = "cache", feature = "replica"))]
mod uses;

pub use crate::error::StoreError;
pub use background_writes::BackgroundWrites;
pub(crate) use background_writes::WriteFailures;
#[cfg(feature = "cache")]
pub use cached::{CacheAnswer, CacheObserver, Cached, CachedBuilder};
pub use feed::{
    FeedAnswer, FeedChange, FeedChanges, FeedFuture, FeedPage, FeedPosition, FeedSecret, KeyFeed,
};
pub use invalidation::{Invalidation, Invalidations};
pub use key_store::KeyStore;
pub use manage::{
    Action, Applied, BrokenRow, Change, Command, CommandOptions, CommandTarget, Difference,
    IdempotencyKey, KeyEntry, KeyFilter, KeyManager, KeyOrder, KeyPosition, KeyState, KeyUpdate,
    ManageError, ManageFuture, NewKey, Page, Precondition, RESERVED_AUTHORS, Retention,
    SecretEntry, TrailFilter, Version, apply_update, check_author, check_unreserved, sweep_preview,
};
pub use manage::{FORMER_DIGEST_KEPT, FormerDigest, NewSecret, PepperManager, PepperUsage, Rehash};
pub use manage::{MOST_VALID_SECRETS, check_most_secrets};
pub use memory::MemoryStore;
pub use rehasher::Rehasher;
#[cfg(feature = "replica")]
pub use replica::{Replica, ReplicaBuilder, ReplicaGauge, ReplicaState, WhenStale};
