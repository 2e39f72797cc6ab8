//! The values of the form of a policy: as a page shows them, and as they were sent.

use std::time::Duration;

use tower_api_key::clock::in_words;
use tower_api_key::key::{AccountId, InvalidName, KeyKind};
use tower_api_key::policy::{KeyPolicy, PolicySubject};
use tower_api_key::store::Version;

use super::conflict::Conflict;
use super::fields::Fields;
use super::permissions::Permissions;
use super::text;
use crate::management::{ManagementError, PolicyDraft};

/// The values of the form.
#[derive(Default)]
pub(super) struct PolicyValues {
    /// The subject of a policy that is edited.
    pub(super) id: String,
    pub(super) version: String,
    /// What a new policy is for: `all`, `account` or `kind`. Empty until somebody chooses: a policy for all keys is no
    /// default.
    pub(super) subject: String,
    pub(super) account: String,
    pub(super) kind: String,
    pub(super) require_expiry: bool,
    pub(super) longest_life: String,
    pub(super) switch_off_unused: String,
    pub(super) most_keys: String,
    pub(super) permissions: Permissions,
    pub(super) remind_of_rotation: String,
    pub(super) reason: String,
}

impl PolicyValues {
    /// Returns an empty form for a new policy.
    pub(super) fn empty(account: &str, catalogue: &[(String, String)]) -> Self {
        let subject = if account.is_empty() { "" } else { "account" };
        Self {
            subject: subject.to_owned(),
            account: account.to_owned(),
            permissions: Permissions::of(None, catalogue),
            ..Self::default()
        }
    }

    /// Returns the values of a stored policy.
    pub(super) fn of(policy: &KeyPolicy, catalogue: &[(String, String)]) -> Self {
        let span = |time: Option<Duration>| time.map(in_words).unwrap_or_default();
        Self {
            id: policy.subject().to_string(),
            version: Version::of_policy(policy).to_string(),
            require_expiry: policy.requires_expiry(),
            longest_life: span(policy.longest_life()),
            switch_off_unused: span(policy.switches_off_unused()),
            most_keys: policy.most_keys().map(|most| most.to_string()).unwrap_or_default(),
            permissions: Permissions::of(policy.scopes(), catalogue),
            remind_of_rotation: span(policy.rotation_reminder()),
            ..Self::default()
        }
    }

    /// Returns the values that were sent.
    pub(super) fn sent(fields: &Fields, catalogue: &[(String, String)]) -> Self {
        let owned = |name| fields.text(name).to_owned();
        Self {
            id: owned("id"),
            version: owned("version"),
            subject: owned("subject"),
            account: owned("account"),
            kind: owned("kind"),
            require_expiry: fields.has("require_expiry", "true"),
            longest_life: owned("longest_life"),
            switch_off_unused: owned("switch_off_unused"),
            most_keys: owned("most_keys"),
            permissions: Permissions::sent(fields, catalogue),
            remind_of_rotation: owned("remind_of_rotation"),
            reason: owned("reason"),
        }
    }

    /// Returns the subject of a new policy. A name beside another choice is a slip, and is refused.
    pub(super) fn new_subject(&self) -> Result<PolicySubject, ManagementError> {
        let chosen = self.subject.as_str();
        if !["all", "account", "kind"].contains(&chosen) {
            let problem = "choose which keys the policy covers";
            return Err(ManagementError::invalid("subject", problem));
        }
        for (field, written) in [("account", &self.account), ("kind", &self.kind)] {
            let problem = match (chosen == field, written.is_empty()) {
                (true, false) | (false, true) => continue,
                (true, true) => format!("write the {field}"),
                (false, false) => {
                    format!("choose the keys of this {field}, or leave this field empty")
                }
            };
            return Err(ManagementError::invalid(field, problem));
        }
        let invalid = |problem: InvalidName| {
            ManagementError::invalid(if chosen == "kind" { "kind" } else { "account" }, problem)
        };
        match chosen {
            "account" => AccountId::new(&self.account).map(PolicySubject::Account).map_err(invalid),
            "kind" => KeyKind::new(&self.kind).map(PolicySubject::Kind).map_err(invalid),
            _ => Ok(PolicySubject::All),
        }
    }

    /// Returns the rules.
    pub(super) fn draft(&self) -> Result<PolicyDraft, ManagementError> {
        Ok(PolicyDraft {
            require_expiry: self.require_expiry,
            longest_life: span("longest_life", &self.longest_life)?,
            switch_off_unused: span("switch_off_unused", &self.switch_off_unused)?,
            most_keys: number("most_keys", &self.most_keys)?,
            scopes: self.permissions.chosen("Any")?,
            remind_of_rotation: span("remind_of_rotation", &self.remind_of_rotation)?,
        })
    }

    /// Lists the fields in which these values differ from the stored ones.
    pub(super) fn conflicts(&self, stored: &Self) -> Vec<Conflict> {
        let pair = |field, value: &dyn Fn(&Self) -> String| (field, value(stored), value(self));
        Conflict::between([
            pair("require_expiry", &|values| Conflict::checked(values.require_expiry)),
            pair("longest_life", &|values| same_span(&values.longest_life)),
            pair("switch_off_unused", &|values| same_span(&values.switch_off_unused)),
            pair("most_keys", &|values| values.most_keys.clone()),
            pair("scopes", &|values| values.permissions.text("any")),
            pair("remind_of_rotation", &|values| same_span(&values.remind_of_rotation)),
        ])
    }
}

/// Writes a time in one way, so that `2 days` and `48 h` are no conflict.
fn same_span(written: &str) -> String {
    text::read_span(written).map_or_else(|| written.to_owned(), in_words)
}

fn span(field: &'static str, written: &str) -> Result<Option<Duration>, ManagementError> {
    if written.is_empty() {
        return Ok(None);
    }
    let wrong = || ManagementError::invalid(field, "write a time such as 90 days or 12 hours");
    text::read_span(written).map(Some).ok_or_else(wrong)
}

fn number(field: &'static str, written: &str) -> Result<Option<u32>, ManagementError> {
    if written.is_empty() {
        return Ok(None);
    }
    let wrong = |_| ManagementError::invalid(field, "write a whole number");
    written.parse().map(Some).map_err(wrong)
}
