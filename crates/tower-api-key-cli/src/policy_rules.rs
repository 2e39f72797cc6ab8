//! The rules of a policy, as options and as values to print.

use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};
use tower_api_key::clock::in_words;
use tower_api_key::policy::{InvalidPolicy, KeyPolicy, PolicySubject};

use crate::moment::{Span, span_text};

/// The rules of a policy.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Rules of the policy")]
#[group(requires = "subject")]
pub(crate) struct PolicyRules {
    /// Require an expiry of each key
    #[arg(long)]
    require_expiry: bool,
    /// Require an expiry at most this long after the key's newest secret was made, such as 90d
    #[arg(long, value_name = "DURATION")]
    longest_life: Option<Span>,
    /// Switch off keys that were not used, added or changed for this time, at least 1 day; gates must record uses
    #[arg(long, value_name = "DURATION")]
    switch_off_unused: Option<Span>,
    /// Allow an account this many keys that are neither revoked nor expired
    #[arg(long, value_name = "NUMBER")]
    most_keys: Option<u32>,
    /// Allow keys these scopes only, separated by commas; each key must then list its scopes
    #[arg(long, alias = "scope", value_delimiter = ',', value_name = "SCOPE")]
    scopes: Vec<String>,
    /// Allow keys no scope at all
    #[arg(long, conflicts_with = "scopes")]
    no_scopes: bool,
    /// Remind owners to rotate a secret that is this old, at least 1 day
    #[arg(long, value_name = "DURATION")]
    remind_of_rotation: Option<Span>,
}

impl PolicyRules {
    /// Returns true if no rule is given.
    pub(crate) const fn is_empty(&self) -> bool {
        !self.require_expiry
            && self.longest_life.is_none()
            && self.switch_off_unused.is_none()
            && self.most_keys.is_none()
            && self.scopes.is_empty()
            && !self.no_scopes
            && self.remind_of_rotation.is_none()
    }

    /// Makes the policy of these rules.
    pub(crate) fn policy(self, subject: PolicySubject) -> Result<KeyPolicy, InvalidPolicy> {
        let mut policy = KeyPolicy::builder(subject);
        if self.require_expiry {
            policy = policy.require_expiry();
        }
        if let Some(Span(life)) = self.longest_life {
            policy = policy.longest_life(life);
        }
        if let Some(Span(after)) = self.switch_off_unused {
            policy = policy.switch_off_unused(after);
        }
        if let Some(most) = self.most_keys {
            policy = policy.most_keys(most);
        }
        if self.no_scopes || !self.scopes.is_empty() {
            policy = policy.scopes(self.scopes);
        }
        if let Some(Span(after)) = self.remind_of_rotation {
            policy = policy.remind_of_rotation(after);
        }
        policy.build()
    }
}

/// Returns the rules of a policy by the names of their options. `null` is no rule. People read times in words, and
/// machines as options write them.
pub(crate) fn rules(policy: &KeyPolicy, is_json: bool) -> [(&'static str, Value); 6] {
    let write = if is_json { span_text } else { in_words };
    let time = |time: Option<Duration>| time.map(write);
    let scopes = policy.scopes().map(|scopes| scopes.iter().collect::<Vec<_>>());
    [
        ("require_expiry", json!(policy.requires_expiry().then_some(true))),
        ("longest_life", json!(time(policy.longest_life()))),
        ("switch_off_unused", json!(time(policy.switches_off_unused()))),
        ("most_keys", json!(policy.most_keys())),
        ("scopes", json!(scopes)),
        ("remind_of_rotation", json!(time(policy.rotation_reminder()))),
    ]
}
