//! The builder of a policy.

use std::time::Duration;

use super::policy::KeyPolicy;
use super::subject::PolicySubject;
use crate::clock::in_words;
use crate::key::{InvalidName, ScopeSet};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest time that a rule can name: about a hundred years.
const LONGEST: Duration = DAY.saturating_mul(36_525);

/// Reports a policy that cannot be meant so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPolicy {
    /// The policy has no rule.
    #[error("a policy needs a rule: add one, or delete the policy")]
    Empty,
    /// A time is not within its bounds.
    #[error(
        "{rule} must be a whole number of seconds, at least {} and at most 100 years",
        in_words(*least)
    )]
    Time {
        /// The name of the rule.
        rule: &'static str,
        /// The shortest time that the rule can name.
        least: Duration,
    },
    /// This version does not know the subject of the policy.
    #[error("this version does not know the subject of the policy: choose another")]
    Subject,
    /// A scope with characters that it may not have.
    #[error(transparent)]
    Scope(#[from] InvalidName),
}

/// Builds a [`KeyPolicy`].
#[derive(Debug, Clone)]
#[must_use]
pub struct KeyPolicyBuilder {
    policy: KeyPolicy,
    wrong_scope: Option<InvalidName>,
}

impl KeyPolicy {
    /// Begins a policy for this subject.
    pub const fn builder(subject: PolicySubject) -> KeyPolicyBuilder {
        let policy = Self {
            subject,
            expiry_required: false,
            longest_life: None,
            unused: None,
            most_keys: None,
            scopes: None,
            rotation: None,
        };
        KeyPolicyBuilder { policy, wrong_scope: None }
    }
}

impl KeyPolicyBuilder {
    /// Requires an expiry of each key.
    pub const fn require_expiry(mut self) -> Self {
        self.policy.expiry_required = true;
        self
    }

    /// Requires an expiry of each key, at most this long after its newest secret was made. A rotation allows a later
    /// expiry.
    pub const fn longest_life(mut self, life: Duration) -> Self {
        self.policy.longest_life = Some(life);
        self
    }

    /// Switches off each key that was not used, added or changed for this time, at least one day. It needs recorded uses:
    /// see `record_uses` of `Cached` and `Replica`.
    pub const fn switch_off_unused(mut self, after: Duration) -> Self {
        self.policy.unused = Some(after);
        self
    }

    /// Allows one account this number of keys that the policy covers and that are neither revoked nor expired.
    pub const fn most_keys(mut self, most: u32) -> Self {
        self.policy.most_keys = Some(most);
        self
    }

    /// Allows keys these scopes only. Each key must then list its own scopes: otherwise it would get every scope that its
    /// account gets later.
    pub fn scopes<S: AsRef<str>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        match ScopeSet::new(scopes) {
            Ok(scopes) => self.policy.scopes = Some(scopes),
            Err(wrong) => self.wrong_scope = Some(wrong),
        }
        self
    }

    /// Reminds the owner of each key whose newest secret is this old, at least one day, to rotate it.
    pub const fn remind_of_rotation(mut self, after: Duration) -> Self {
        self.policy.rotation = Some(after);
        self
    }

    /// Builds the policy.
    ///
    /// # Errors
    ///
    /// - [`InvalidPolicy::Empty`] if the policy has no rule;
    /// - [`InvalidPolicy::Subject`] if the subject is [unknown](PolicySubject::Unknown);
    /// - [`InvalidPolicy::Time`] if a time is too short, too long, or has parts of a second;
    /// - [`InvalidPolicy::Scope`] if a scope is not a `scope-token` (RFC 6749 §3.3).
    pub fn build(self) -> Result<KeyPolicy, InvalidPolicy> {
        if let Some(wrong) = self.wrong_scope {
            return Err(wrong.into());
        }
        if let PolicySubject::Unknown(_) = self.policy.subject {
            return Err(InvalidPolicy::Subject);
        }
        let mut policy = self.policy;
        // Two policies with the same rules are equal, however they were described.
        policy.expiry_required |= policy.longest_life.is_some();
        for (rule, time, least) in [
            ("longest_life", policy.longest_life, Duration::from_secs(1)),
            ("switch_off_unused", policy.unused, DAY),
            ("remind_of_rotation", policy.rotation, DAY),
        ] {
            let wrong = |time: Duration| time < least || time > LONGEST || time.subsec_nanos() > 0;
            if time.is_some_and(wrong) {
                return Err(InvalidPolicy::Time { rule, least });
            }
        }
        let has_rule =
            policy.needs_sweep() || policy.most_keys.is_some() || policy.scopes.is_some();
        if has_rule { Ok(policy) } else { Err(InvalidPolicy::Empty) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_that_cannot_be_meant_so_is_refused() {
        let all = || KeyPolicy::builder(PolicySubject::All);
        let seconds = Duration::from_secs;
        assert_eq!(all().build(), Err(InvalidPolicy::Empty));
        for wrong in [
            all().longest_life(Duration::ZERO),
            all().longest_life(Duration::from_millis(1_500)),
            all().longest_life(LONGEST + seconds(1)),
            all().switch_off_unused(seconds(86_399)),
            all().remind_of_rotation(seconds(86_399)),
        ] {
            assert!(matches!(wrong.build(), Err(InvalidPolicy::Time { .. })));
        }
        let unknown = KeyPolicy::builder(PolicySubject::stored("plan:gold")).require_expiry();
        assert_eq!(unknown.build(), Err(InvalidPolicy::Subject));
        assert!(matches!(all().scopes(["no space"]).build(), Err(InvalidPolicy::Scope(_))));
        for right in [
            all().require_expiry(),
            all().longest_life(seconds(1)),
            all().switch_off_unused(DAY),
            all().remind_of_rotation(DAY),
            all().most_keys(0),
            all().scopes([""; 0]),
        ] {
            assert!(right.build().is_ok());
        }
        let life = all().longest_life(seconds(1));
        assert_eq!(life.clone().require_expiry().build(), life.build());
    }
}
