//! The rule that a key breaks.

use std::time::Duration;

use super::subject::PolicySubject;
use crate::clock::{Timestamp, in_words};

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
        "the policy for {subject} lets a secret live {}: set an expiry until {latest}, or rotate the key first",
        in_words(*life)
    )]
    LivesTooLong {
        /// The subject of the policy.
        subject: PolicySubject,
        /// The longest life.
        life: Duration,
        /// The latest expiry that the policy allows the key, in whole seconds. It may have passed.
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
    #[error("the policy for {subject} allows an account {most} keys: revoke one first")]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_violation_names_the_policy_and_the_remedy() {
        let subject = || PolicySubject::All;
        let too_long = |seconds| PolicyViolation::LivesTooLong {
            subject: subject(),
            life: Duration::from_secs(seconds),
            latest: Timestamp::from_unix_seconds(1_800_000_000),
        };
        let lives = |time: &str| {
            format!(
                "the policy for all lets a secret live {time}: \
                set an expiry until 2027-01-15T08:00:00Z, or rotate the key first"
            )
        };
        let kind = || PolicySubject::Kind("personal".try_into().unwrap());
        for (violation, text, field) in [
            (
                PolicyViolation::ExpiryRequired { subject: kind() },
                "the policy for kind:personal requires an expiry: set one".to_owned(),
                Some("expires"),
            ),
            (too_long(90 * 86_400), lives("90 days"), Some("expires")),
            (too_long(86_400), lives("1 day"), Some("expires")),
            (too_long(7_200), lives("2 hours"), Some("expires")),
            (too_long(60), lives("1 minute"), Some("expires")),
            (too_long(61), lives("61 seconds"), Some("expires")),
            (
                PolicyViolation::ScopesRequired { subject: subject() },
                "the policy for all bounds scopes: list the scopes of the key".to_owned(),
                Some("scopes"),
            ),
            (
                PolicyViolation::Scope { subject: subject(), scope: "write".to_owned() },
                "the policy for all does not allow the scope `write`: leave it out".to_owned(),
                Some("scopes"),
            ),
            (
                PolicyViolation::TooManyKeys { subject: subject(), most: 3 },
                "the policy for all allows an account 3 keys: revoke one first".to_owned(),
                None,
            ),
        ] {
            assert_eq!((violation.to_string(), violation.field()), (text, field));
        }
    }
}
