//! A policy to save.

use std::time::Duration;

use tower_api_key::clock::in_words;
use tower_api_key::policy::{InvalidPolicy, KeyPolicy, KeyPolicyBuilder, PolicySubject};

use super::error::ManagementError;
use super::key_draft::check_count;

/// The rules of a policy to save. It needs at least one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PolicyDraft {
    /// Whether each key must have an expiry. A longest life requires one, too.
    pub require_expiry: bool,
    /// The longest time from the making of a key's newest secret to the expiry of the key.
    pub longest_life: Option<Duration>,
    /// The time without a use after which a sweep switches a key off, at least one day.
    pub switch_off_unused: Option<Duration>,
    /// The most keys of one account that are neither revoked nor expired.
    pub most_keys: Option<u32>,
    /// The scopes that a key may have.
    pub scopes: Option<Vec<String>>,
    /// The age of a key's newest secret at which a sweep reminds of a rotation, at least one day.
    pub remind_of_rotation: Option<Duration>,
}

impl PolicyDraft {
    /// Describes a policy as it is.
    pub fn of(policy: &KeyPolicy) -> Self {
        Self {
            require_expiry: policy.requires_expiry(),
            longest_life: policy.longest_life(),
            switch_off_unused: policy.switches_off_unused(),
            most_keys: policy.most_keys(),
            scopes: policy.scopes().map(|scopes| scopes.iter().map(str::to_owned).collect()),
            remind_of_rotation: policy.rotation_reminder(),
        }
    }

    /// Builds the policy, and names the first field that is not valid.
    pub(super) fn policy(&self, subject: PolicySubject) -> Result<KeyPolicy, ManagementError> {
        check_count("scopes", self.scopes.as_ref().map_or(0, Vec::len))?;
        let mut policy = KeyPolicy::builder(subject);
        if self.require_expiry {
            policy = policy.require_expiry();
        }
        policy = set(policy, self.longest_life, KeyPolicyBuilder::longest_life);
        policy = set(policy, self.switch_off_unused, KeyPolicyBuilder::switch_off_unused);
        policy = set(policy, self.most_keys, KeyPolicyBuilder::most_keys);
        policy = set(policy, self.scopes.as_ref(), KeyPolicyBuilder::scopes);
        policy = set(policy, self.remind_of_rotation, KeyPolicyBuilder::remind_of_rotation);
        policy.build().map_err(|problem| match problem {
            InvalidPolicy::Time { rule, least } => {
                let least = in_words(least);
                let problem =
                    format!("must be whole seconds, at least {least} and at most 100 years");
                ManagementError::invalid(rule, problem)
            }
            InvalidPolicy::Scope(problem) => ManagementError::invalid("scopes", problem),
            problem => ManagementError::invalid("request", problem),
        })
    }
}

fn set<T>(
    policy: KeyPolicyBuilder,
    value: Option<T>,
    set: impl FnOnce(KeyPolicyBuilder, T) -> KeyPolicyBuilder,
) -> KeyPolicyBuilder {
    match value {
        Some(value) => set(policy, value),
        None => policy,
    }
}
