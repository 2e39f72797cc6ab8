//! The error of a change that was not made.

use std::time::Duration;

use super::state::KeyState;
use crate::error::StoreError;
use crate::key::InvalidRecord;
use crate::policy::PolicyViolation;

/// The reason why a store did not make a change. The store has changed nothing, except with
/// [`NotYetApplied`](Self::NotYetApplied).
///
/// ```
/// use tower_api_key::store::ManageError;
///
/// assert_eq!(ManageError::NotFound.to_string(), "there is no such key, account or policy");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManageError {
    /// There is no key or account with this id, or no policy for this subject.
    #[error("there is no such key, account or policy")]
    NotFound,
    /// A key with this id or with this secret exists already.
    #[error("a key with this id or this secret exists already: choose another")]
    Exists,
    /// The key is in this state, in which a new secret would not be valid.
    #[error("the key is {}, so a new secret would not be valid: {}", .0.name(), remedy(*.0))]
    NotActive(KeyState),
    /// The key or account is not in the state that the [precondition](super::Precondition) of the change names.
    #[error("someone else has changed this: read it again, and decide anew")]
    PreconditionFailed,
    /// The owner of the key has this number of other keys, which is [the most](super::CommandOptions::at_most_keys).
    #[error("the owner has {0} keys, which is the most: revoke one first")]
    TooManyKeys(u32),
    /// The key would break a rule of a [policy](crate::policy).
    #[error(transparent)]
    PolicyViolated(#[from] PolicyViolation),
    /// A policy has a rule or a subject of a newer version. Each key that it may cover stays as it is, except that it can be
    /// revoked and deleted.
    #[error(
        "the policy for {subject} cannot be read by this version ({problem}), so no key that it covers can be added or \
        changed: update the program, or delete the policy and set it again"
    )]
    PolicyUnreadable {
        /// The subject of the policy, as the store has it.
        subject: String,
        /// What this version does not know, for an operator.
        problem: String,
    },
    /// The key has this number of valid secrets, which is [the most](super::MOST_VALID_SECRETS).
    #[error(
        "the key has {0} valid secrets, which is the most: wait until one ends, or rotate without an overlap"
    )]
    TooManySecrets(usize),
    /// Another change was made with the same [idempotency key](super::IdempotencyKey).
    #[error("the idempotency key was used for another change: choose another key")]
    IdempotencyKeyReused,
    /// The place after which a list was to go on is not one of this list's order.
    #[error("the place in the list belongs to another order: begin at the first page")]
    WrongPosition,
    /// The changed record, or the name of the author, would not be valid.
    #[error(transparent)]
    Invalid(#[from] InvalidRecord),
    /// The store made the change, and the replica through which it was made did not apply it within this time.
    #[error(
        "the store made the change, but this replica did not apply it within {0:?}: it applies once the store answers, \
        and until then no lookup is answered for longer than the staleness"
    )]
    NotYetApplied(Duration),
    /// The store cannot answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Returns what to do before a rotation.
const fn remedy(state: KeyState) -> &'static str {
    match state {
        KeyState::Active => "try again",
        KeyState::Disabled => "enable the key and its account first",
        KeyState::Revoked => "a revocation is final, issue another key",
        KeyState::Expired => "set a later expiry first, or issue another key",
    }
}
