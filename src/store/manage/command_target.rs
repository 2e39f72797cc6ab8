//! What a command changes.

use crate::policy::PolicySubject;

/// What a [`Command`](super::Command) changes: the key, account or policy whose version a
/// [`Precondition`](super::Precondition) names.
///
/// ```
/// use tower_api_key::store::{Command, CommandTarget};
///
/// assert_eq!(Command::Revoke { id: "key_1" }.target(), CommandTarget::Key("key_1".to_owned()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommandTarget {
    /// The key with this id.
    Key(String),
    /// The account with this id.
    Account(String),
    /// The policy for this subject.
    Policy(PolicySubject),
}
