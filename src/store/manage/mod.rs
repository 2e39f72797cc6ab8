//! Management of keys: what a store that can write offers besides lookups. [`KeyManager`] lists what it
//! guarantees.

mod author;
mod change;
mod command;
mod difference;
mod entry;
mod error;
mod filter;
mod idempotency;
mod manager;
mod most_secrets;
mod new_key;
mod new_secret;
mod order;
mod page;
mod peppers;
mod retention;
mod state;
mod trail_filter;
mod update;
mod version;

pub use author::check_author;
pub use change::{Action, Change};
pub use command::{Applied, Command, CommandOptions, Precondition};
pub use difference::Difference;
pub use entry::{FormerDigest, KeyEntry, SecretEntry};
pub use error::ManageError;
pub use filter::KeyFilter;
pub use idempotency::IdempotencyKey;
pub use manager::{KeyManager, ManageFuture};
pub use most_secrets::{MOST_VALID_SECRETS, check_most_secrets};
pub use new_key::NewKey;
pub use new_secret::NewSecret;
pub use order::{KeyOrder, KeyPosition};
pub use page::{BrokenRow, Page};
pub use peppers::{FORMER_DIGEST_KEPT, PepperManager, PepperUsage, Rehash};
pub use retention::Retention;
pub use state::KeyState;
pub use trail_filter::TrailFilter;
pub use update::{KeyUpdate, apply_update};
pub use version::Version;
