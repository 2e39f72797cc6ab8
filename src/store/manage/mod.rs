//! Management of keys: what a store that can write offers besides lookups. [`KeyManager`] lists what it
//! guarantees.

mod author;
mod change;
mod entry;
mod error;
mod filter;
mod manager;
mod page;
mod peppers;
mod retention;
mod update;

pub use author::check_author;
pub use change::{Action, Change};
pub use entry::{FormerDigest, KeyEntry, SecretEntry};
pub use error::ManageError;
pub use filter::{KeyFilter, KeyState};
pub use manager::{KeyManager, KeyUpdate, ManageFuture, NewKey};
pub use page::{BrokenRow, Page};
pub use peppers::{FORMER_DIGEST_KEPT, NewSecret, PepperManager, PepperUsage, Rehash};
pub use retention::Retention;
pub use update::apply_update;
