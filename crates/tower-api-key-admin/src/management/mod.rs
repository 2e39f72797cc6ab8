//! The operations of management: what the API and the console do with keys, accounts, the trail, usage and counters.
//!
//! A [`Management`] has one async function for each operation. Each takes the [`Caller`] who asks, checks what this
//! caller may do, and returns a typed result or a [`ManagementError`]. No rule lives in a handler, so the API and the
//! console agree.
//!
//! A caller is an operator if its key belongs to one of the accounts that
//! [`ManagementBuilder::operators`] names. All other callers are owners: they see and change only keys of their own
//! account, and only if [`ManagementBuilder::owners`] allows owners.

mod account_counters;
mod account_edit;
mod accounts;
mod bounds;
mod builder;
mod caller;
mod change_request;
mod counters;
mod edit_key;
mod end_key;
mod error;
mod field;
#[cfg(feature = "console")]
mod for_console;
mod issue_key;
mod issued_entry;
mod key_draft;
mod key_edit;
mod key_query;
mod keys;
mod listed;
#[expect(clippy::module_inception, reason = "the module is named for its main type")]
mod management;
mod names;
mod observed_manager;
mod owner_policy;
mod policies;
mod policy_draft;
mod policy_review;
mod quota_bounds;
mod quota_draft;
mod rights;
mod scope_name;
pub mod scopes;
mod trail;
mod usage;
mod who_is;

pub use account_edit::{AccountDraft, AccountEdit};
pub use builder::{InvalidManagement, ManagementBuilder};
pub use caller::Caller;
pub use change_request::ChangeRequest;
pub use counters::CounterEntry;
pub use error::ManagementError;
pub use field::Field;
pub use issued_entry::IssuedEntry;
pub use key_draft::KeyDraft;
pub use key_edit::KeyEdit;
pub use key_query::KeyQuery;
pub use listed::Listed;
pub use management::Management;
pub use names::{PlanEntry, RoleEntry, ScopeEntry};
pub use owner_policy::OwnerPolicy;
pub use policy_draft::PolicyDraft;
pub use policy_review::KeyReview;
pub(crate) use quota_draft::QuotaDraft;
pub use scope_name::ScopeName;
pub use trail::TrailQuery;
