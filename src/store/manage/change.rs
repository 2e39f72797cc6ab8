//! The audit trail: who changed what, and when.

use std::fmt;
use std::str::FromStr;

use crate::clock::Timestamp;
use crate::error::UnknownName;

/// Names what was done.
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
    /// A key was revoked.
    KeyRevoked,
    /// A key was deleted.
    KeyDeleted,
    /// An account was added or changed.
    AccountSaved,
    /// An account was deleted, with its keys.
    AccountDeleted,
    /// Something that a newer program does, and this one has no name for.
    Unknown,
}

impl Action {
    const NAMES: [(Self, &'static str); 8] = [
        (Self::KeyAdded, "key_added"),
        (Self::KeyUpdated, "key_updated"),
        (Self::KeyRotated, "key_rotated"),
        (Self::KeyRevoked, "key_revoked"),
        (Self::KeyDeleted, "key_deleted"),
        (Self::AccountSaved, "account_saved"),
        (Self::AccountDeleted, "account_deleted"),
        (Self::Unknown, "unknown"),
    ];

    /// Names that older programs wrote.
    const OLD_NAMES: [(Self, &'static str); 2] =
        [(Self::KeyUpdated, "key_edited"), (Self::AccountSaved, "account_put")];

    /// Returns the name that a trail is written with.
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

    /// Reads a name, also one that an older program wrote.
    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let mut names = Self::NAMES.iter().chain(&Self::OLD_NAMES);
        let found = names.find(|(_, other)| *other == name);
        let unknown = UnknownName::new("action", "the name of an action, such as `key_revoked`");
        found.map(|(action, _)| *action).ok_or(unknown)
    }
}

/// Records one change, never a secret.
///
/// ```
/// # use tower_api_key::clock::Timestamp;
/// use tower_api_key::store::{Action, Change};
///
/// let change = Change {
///     sequence: 1,
///     at: Timestamp::from_unix_seconds(1_000),
///     by: "ada@example.com".to_owned(),
///     action: Action::KeyAdded,
///     key: Some("key_1".to_owned()),
///     account: "acme".to_owned(),
/// };
/// assert_eq!(change.action.name(), "key_added");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The place in the trail, from 1.
    pub sequence: u64,
    /// When it was made.
    pub at: Timestamp,
    /// Who made it, as the caller said.
    pub by: String,
    /// What was done.
    pub action: Action,
    /// The id of the key; none for a change of an account.
    pub key: Option<String>,
    /// The id of the account.
    pub account: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Databases keep these names: a name that changes makes a line of an older trail unreadable.
    #[test]
    fn an_action_is_read_back_by_the_name_that_a_trail_keeps() {
        let names = [
            (Action::KeyAdded, "key_added"),
            (Action::KeyUpdated, "key_updated"),
            (Action::KeyRotated, "key_rotated"),
            (Action::KeyRevoked, "key_revoked"),
            (Action::KeyDeleted, "key_deleted"),
            (Action::AccountSaved, "account_saved"),
            (Action::AccountDeleted, "account_deleted"),
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
