//! The audit trail: who changed what, and when.

use std::fmt;
use std::str::FromStr;

use super::difference::Difference;
use crate::clock::Timestamp;
use crate::error::UnknownName;

/// The kind of a change.
///
/// ```
/// use tower_api_key::store::Action;
///
/// assert_eq!("key_revoked".parse(), Ok(Action::KeyRevoked));
/// assert_eq!(Action::KeyRevoked.to_string(), "key_revoked");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// A key was added.
    KeyAdded,
    /// A key was changed.
    KeyUpdated,
    /// A key got a new secret.
    KeyRotated,
    /// A secret of a key got a digest by a newer pepper.
    KeyRehashed,
    /// A key was revoked.
    KeyRevoked,
    /// A key was deleted.
    KeyDeleted,
    /// Used-up quota of a key was given back.
    QuotaRefunded,
    /// An account was added or changed.
    AccountSaved,
    /// An account was deleted, with its keys.
    AccountDeleted,
    /// A policy was added or changed.
    PolicySaved,
    /// A policy was deleted.
    PolicyDeleted,
    /// A newer version of the program made this change, and this version has no name for it.
    Unknown,
}

impl Action {
    const NAMES: [(Self, &'static str); 12] = [
        (Self::KeyAdded, "key_added"),
        (Self::KeyUpdated, "key_updated"),
        (Self::KeyRotated, "key_rotated"),
        (Self::KeyRehashed, "key_rehashed"),
        (Self::KeyRevoked, "key_revoked"),
        (Self::KeyDeleted, "key_deleted"),
        (Self::QuotaRefunded, "quota_refunded"),
        (Self::AccountSaved, "account_saved"),
        (Self::AccountDeleted, "account_deleted"),
        (Self::PolicySaved, "policy_saved"),
        (Self::PolicyDeleted, "policy_deleted"),
        (Self::Unknown, "unknown"),
    ];

    /// Names that older versions wrote.
    const OLD_NAMES: [(Self, &'static str); 2] =
        [(Self::KeyUpdated, "key_edited"), (Self::AccountSaved, "account_put")];

    /// Returns the name of the action, as the audit trail keeps it.
    pub fn name(self) -> &'static str {
        let found = Self::NAMES.iter().find(|(action, _)| *action == self);
        found.map_or("", |(_, name)| name)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Action {
    type Err = UnknownName;

    /// Parses a name, including the names that older versions wrote.
    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let mut names = Self::NAMES.iter().chain(&Self::OLD_NAMES);
        let found = names.find(|(_, other)| *other == name);
        let unknown = UnknownName::new("action", "the name of an action, such as `key_revoked`");
        found.map(|(action, _)| *action).ok_or(unknown)
    }
}

/// One line of the audit trail. It never holds a secret.
///
/// ```
/// use tower_api_key::clock::Timestamp;
/// use tower_api_key::store::{Action, Change};
///
/// let change = Change {
///     sequence: 1,
///     at: Timestamp::from_unix_seconds(1_000),
///     by: "ada@example.com".to_owned(),
///     action: Action::KeyAdded,
///     key: Some("key_1".to_owned()),
///     account: "acme".to_owned(),
///     reason: None,
///     differences: Vec::new(),
/// };
/// assert_eq!(change.action.name(), "key_added");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The position in the trail, from 1.
    pub sequence: u64,
    /// When the change was made.
    pub at: Timestamp,
    /// Who made the change, as the caller passed it.
    pub by: String,
    /// What was done.
    pub action: Action,
    /// The id of the key. `None` for a change of an account or a policy.
    pub key: Option<String>,
    /// The id of the account. Empty for a change of a policy for all accounts.
    pub account: String,
    /// Why the change was made, as the caller passed it.
    pub reason: Option<String>,
    /// The fields that the change changed. Empty for an import, and for changes of earlier releases.
    pub differences: Vec<Difference>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Databases keep these names. If a name changed, lines of older trails would be unreadable.
    #[test]
    fn an_action_is_read_back_by_the_name_that_a_trail_keeps() {
        let names = [
            (Action::KeyAdded, "key_added"),
            (Action::KeyUpdated, "key_updated"),
            (Action::KeyRotated, "key_rotated"),
            (Action::KeyRehashed, "key_rehashed"),
            (Action::KeyRevoked, "key_revoked"),
            (Action::KeyDeleted, "key_deleted"),
            (Action::QuotaRefunded, "quota_refunded"),
            (Action::AccountSaved, "account_saved"),
            (Action::AccountDeleted, "account_deleted"),
            (Action::PolicySaved, "policy_saved"),
            (Action::PolicyDeleted, "policy_deleted"),
        ];
        for (action, name) in names {
            assert_eq!((action.name(), name.parse()), (name, Ok(action)));
        }
        assert!("key_lost".parse::<Action>().is_err());
    }

    #[test]
    fn an_older_trail_stays_readable() {
        assert_eq!("key_edited".parse(), Ok(Action::KeyUpdated));
        assert_eq!("account_put".parse(), Ok(Action::AccountSaved));
    }
}
