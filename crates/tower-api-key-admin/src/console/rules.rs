//! Policies in words.

use tower_api_key::clock::{Timestamp, in_words};
use tower_api_key::policy::{KeyPolicy, Policies, PolicyAction, PolicySubject, PolicyViolation};

use super::text;

/// A policy as pages show it.
pub(super) struct ShownPolicy {
    /// The subject as addresses and forms name it.
    pub(super) id: String,
    pub(super) subject: String,
    pub(super) rules: Vec<String>,
}

impl ShownPolicy {
    pub(super) fn of(policy: &KeyPolicy) -> Self {
        Self {
            id: policy.subject().to_string(),
            subject: subject(policy.subject()),
            rules: rules(policy),
        }
    }

    pub(super) fn all(policies: &Policies) -> Vec<Self> {
        policies.iter().map(Self::of).collect()
    }
}

/// Names the keys that a policy covers.
pub(super) fn subject(subject: &PolicySubject) -> String {
    match subject {
        PolicySubject::All => "all keys".to_owned(),
        PolicySubject::Account(id) => format!("the account {id}"),
        PolicySubject::Kind(kind) => format!("the kind {kind}"),
        PolicySubject::Unknown(text) => format!("{text}, which this server does not know"),
    }
}

/// Lists the rules of a policy as sentences.
fn rules(policy: &KeyPolicy) -> Vec<String> {
    let mut rules = Vec::new();
    if let Some(life) = policy.longest_life() {
        let life = in_words(life);
        rules.push(format!("A key expires at most {life} after its newest secret was made."));
    } else if policy.requires_expiry() {
        rules.push("A key needs an expiry.".to_owned());
    }
    if let Some(unused) = policy.switches_off_unused() {
        let unused = in_words(unused);
        rules.push(format!("A key that is not used for {unused} is switched off."));
    }
    if let Some(most) = policy.most_keys() {
        let of = match policy.subject() {
            PolicySubject::All | PolicySubject::Unknown(_) => "An account has at most",
            PolicySubject::Account(_) => "The account has at most",
            PolicySubject::Kind(_) => "An account has, of this kind, at most",
        };
        let keys = if most == 1 { "key" } else { "keys" };
        rules.push(format!("{of} {most} {keys}. Revoked and expired ones do not count."));
    }
    if let Some(scopes) = policy.scopes() {
        rules.push(if scopes.is_empty() {
            "A key has no permissions.".to_owned()
        } else {
            format!("A key has no permissions but these: {}.", text::joined(scopes.iter()))
        });
    }
    if let Some(age) = policy.rotation_reminder() {
        let age = in_words(age);
        rules.push(format!("The owner is reminded to rotate a secret that is {age} old."));
    }
    rules
}

/// Returns what policies mean for the expiry of a key, and the latest one that they allow.
pub(super) fn expiry(policies: &Policies, latest: Option<Timestamp>) -> Option<String> {
    if latest.is_some() {
        return Some(format!("Policies require a day until {}.", text::date(latest)));
    }
    let required = policies.iter().any(KeyPolicy::requires_expiry);
    required.then(|| "Policies require a day.".to_owned())
}

/// Writes which rule a key breaks, and the remedy.
pub(super) fn violation(violation: &PolicyViolation) -> String {
    let policy = format!("The policy for {}", subject(violation.subject()));
    match violation {
        PolicyViolation::ExpiryRequired { .. } => {
            format!("{policy} requires an expiry: choose a day.")
        }
        PolicyViolation::LivesTooLong { life, latest, .. } => {
            let (life, day) = (in_words(*life), text::date(Some(*latest)));
            format!("{policy} lets a secret live {life}: choose {day} or an earlier day.")
        }
        PolicyViolation::ScopesRequired { .. } => {
            format!("{policy} bounds permissions: list those of the key.")
        }
        PolicyViolation::Scope { scope, .. } => {
            format!("{policy} does not allow the permission {scope}: leave it out.")
        }
        PolicyViolation::TooManyKeys { most, .. } => {
            let keys = if *most == 1 { "key" } else { "keys" };
            format!("{policy} allows an account {most} {keys}: revoke one first.")
        }
        other => format!("{other}."),
    }
}

/// Writes what a sweep would do with a key.
pub(super) fn due(action: &PolicyAction) -> String {
    match action {
        PolicyAction::SwitchOff { unused_since } => {
            let since = text::moment(Some(*unused_since));
            format!("The next sweep switches the key off: it is unused since {since}.")
        }
        PolicyAction::Expire { at } => {
            let at = text::moment(Some(*at));
            format!("The next sweep lets the key expire at {at}.")
        }
        PolicyAction::RemindOfRotation { made } => {
            let made = text::moment(Some(*made));
            format!("A rotation is due: the newest secret was made at {made}.")
        }
        _ => "The next sweep changes the key.".to_owned(),
    }
}
