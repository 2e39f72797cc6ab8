//! Managing keys: what a store that can write offers besides looking up.
//!
//! This room guards every change of a key. A change
//!
//! 1. holds whole or not at all, its line in the audit trail included;
//! 2. is seen by every lookup in the store itself that begins after it was made;
//! 3. never brings back a key that was deleted.
//!
//! No secret comes here: a key is issued by an [`Issuer`](crate::key::Issuer), shown once, and only
//! its digest is given to a store. A process that keeps records in front of the store sees a change
//! later, by a time that it states.

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
