//! Where keys live: the one question a gate asks of a store, and the store in memory.
//!
//! This room guards the way from a digest to a record. A store answers
//!
//! 1. with the record whose key has exactly this digest, all 256 bits of it;
//! 2. with nothing, if it is sure that there is none;
//! 3. with a [`StoreError`] in every other case: the gate then refuses with 503, and never takes a
//!    failure for an unknown key.
//!
//! A store knows nothing of gates. Two gates on one store serve each other's keys, unless each has an
//! [audience](crate::ApiKeyLayerBuilder::audience) and each key names one, or every gate has a store of its
//! own.
//!
//! # A store of your own
//!
//! For a gate, implement [`KeyStore`]: from a digest to a record under its account's present state.
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
//!             return Reply::now(Ok(None)); // surely unknown: the gate refuses with 401
//!         };
//!         let Some(account) = self.accounts.get(record.account().id()) else {
//!             return Reply::now(Err(StoreError::new("a key has no account"))); // 503
//!         };
//!         // Scopes, quotas and the switch of the account count as they are stored now.
//!         let record = record.with_account(Arc::clone(account)).map_err(StoreError::new);
//!         Reply::now(record.map(|record| Some(record.into())))
//!     }
//! }
//! ```
//!
//! A lookup that waits returns [`Reply::later`](crate::Reply::later). The rest is needed only if it applies:
//!
//! | your store | implements or uses |
//! |---|---|
//! | can write | [`KeyManager`]: every change calls [`check_author`] first and writes a [`Change`] |
//! | changes a key | [`apply_update`], with the rules that hold for every update |
//! | rotates keys | [`Retention`]: which ended secrets to delete, and which to hide |
//! | has rows that cannot be read | [`Page`] and [`BrokenRow`] |
//! | is behind a cache and reports changes | [`Invalidations`], which yields [`Invalidation`]s |
//!
//! The feature `testing` has the promises of a [`KeyManager`] as tests: `store_tests!`.
//!
//! A store in front of a slow or remote one bounds how long a revoked key can still serve; say the
//! number to your users. [`MemoryStore`]'s is zero.

#[cfg(feature = "cache")]
mod cached;
mod invalidation;
mod key_store;
mod manage;
mod memory;

pub use crate::error::StoreError;
#[cfg(feature = "cache")]
pub use cached::{Cached, CachedBuilder};
pub use invalidation::{Invalidation, Invalidations};
pub use key_store::KeyStore;
pub use manage::{
    Action, BrokenRow, Change, KeyEntry, KeyFilter, KeyManager, KeyState, KeyUpdate, ManageError,
    ManageFuture, NewKey, Page, Retention, SecretEntry, apply_update, check_author,
};
pub use memory::MemoryStore;
