//! The rule that a key breaks.

use std::time::Duration;

use super::subject::PolicySubject;
use crate::clock::Timestamp;

/// Reports the rule that a new or changed key would break, and the remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyViolation {
    /// The key has no expiry.
    #[error("the policy for {subject} requires an expiry: set one")]
    ExpiryRequired {
        /// The subject of the policy.
        subject: PolicySubject,
    },
    /// The key expires too late.
    #[error(
        "the policy for {subject} allows a secret a life of {} s: set an expiry until {latest}, or rotate the key first",
        life.as_secs()
    )]
    LivesTooLong {
        /// The subject of the policy.
        subject: PolicySubject,
        /// The longest life.
        life: Duration,
        /// The latest expiry that the policy allows the key.
        latest: Timestamp,
    },
    /// The key has no scopes of its own.
    #[error("the policy for {subject} bounds scopes: list the scopes of the key")]
    ScopesRequired {
        /// The subject of the policy.
        subject: PolicySubject,
    },
    /// The key has a scope that the policy does not allow.
    #[error("the policy for {subject} does not allow the scope `{scope}`: leave it out")]
    Scope {
        /// The subject of the policy.
        subject: PolicySubject,
        /// The first such scope.
        scope: String,
    },
    /// The account has as many keys as the policy allows.
    #[error("the policy for {subject} allows {most} keys: revoke one first")]
    TooManyKeys {
        /// The subject of the policy.
        subject: PolicySubject,
        /// The most keys.
        most: u32,
    },
}

impl PolicyViolation {
    /// Returns the subject of the policy.
    pub const fn subject(&self) -> &PolicySubject {
        match self {
            Self::ExpiryRequired { subject }
            | Self::LivesTooLong { subject, .. }
            | Self::ScopesRequired { subject }
            | Self::Scope { subject, .. }
            | Self::TooManyKeys { subject, .. } => subject,
        }
    }

    /// Returns the name of the field to change: `expires` or `scopes`. `None` if the number of keys is too high.
    pub const fn field(&self) -> Option<&'static str> {
        match self {
            Self::ExpiryRequired { .. } | Self::LivesTooLong { .. } => Some("expires"),
            Self::ScopesRequired { .. } | Self::Scope { .. } => Some("scopes"),
            Self::TooManyKeys { .. } => None,
        }
    }
}
