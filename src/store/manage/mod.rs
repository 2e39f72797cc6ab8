//! Management of keys: what a store that can write offers besides lookups.
//!
//! This module guards every change of a key. A change
//!
//! 1. is made completely or not at all, together with its line in the audit trail;
//! 2. applies to every lookup in the store itself that begins after the change;
//! 3. never restores a deleted key.
//!
//! No secret passes through this module. An [`Issuer`](crate::key::Issuer) issues a key, the caller shows its
//! text once, and a store receives only its digest. A cache in front of the store applies a change later, within
//! the time that the cache documents.

mod author;
mod change;
mod entry;
mod error;
mod filter;
mod manager;
mod page;
mod retention;
mod update;

pub use author::check_author;
pub use change::{Action, Change};
pub use entry::{KeyEntry, SecretEntry};
pub use error::ManageError;
pub use filter::{KeyFilter, KeyState};
pub use manager::{KeyManager, KeyUpdate, ManageFuture, NewKey};
pub use page::{BrokenRow, Page};
pub use retention::Retention;
pub use update::apply_update;
