//! The result of a change.

use std::sync::Arc;

use super::entry::KeyEntry;
use crate::key::Account;
use crate::policy::KeyPolicy;

/// The result of a change.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Applied {
    /// The key after the change; `None` if the change was not one of a key, deleted the key, or revoked a key whose
    /// row cannot be read.
    pub key: Option<KeyEntry>,
    /// The account after the change; `None` if the change was not one of an account, or deleted the account.
    pub account: Option<Arc<Account>>,
    /// The policy after the change; `None` if the change was not one of a policy, or deleted the policy.
    pub policy: Option<KeyPolicy>,
    /// Whether an earlier command with the same idempotency key has made the change. The key, account or policy is
    /// the present one then.
    pub replayed: bool,
}

impl Applied {
    /// Describes a change of a key.
    pub fn key(entry: impl Into<Option<KeyEntry>>) -> Self {
        Self { key: entry.into(), ..Self::default() }
    }

    /// Describes a change of an account.
    pub fn account(account: impl Into<Option<Arc<Account>>>) -> Self {
        Self { account: account.into(), ..Self::default() }
    }

    /// Describes a change of a policy.
    pub fn policy(policy: impl Into<Option<KeyPolicy>>) -> Self {
        Self { policy: policy.into(), ..Self::default() }
    }

    /// Marks the change as one that an earlier command has made.
    #[must_use]
    pub fn replayed(self) -> Self {
        Self { replayed: true, ..self }
    }
}
