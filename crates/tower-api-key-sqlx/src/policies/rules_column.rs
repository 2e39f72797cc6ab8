//! Reads and writes the rules of a policy as JSON.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::json::write as write_json;
use tower_api_key::policy::{KeyPolicy, PolicySubject};
use tower_api_key::store::ManageError;

/// The rules of a policy as JSON. A rule of a newer version is an error: without it, keys would pass that the policy
/// forbids.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesColumn {
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    require_expiry: bool,
    /// In seconds, as the other times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    longest_life: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    switch_off_unused: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    most_keys: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scopes: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    remind_of_rotation: Option<u64>,
}

/// A policy that this version cannot read.
#[derive(Debug, Clone)]
pub(crate) struct UnreadablePolicy {
    pub(super) subject: String,
    pub(super) problem: String,
}

impl From<UnreadablePolicy> for ManageError {
    fn from(UnreadablePolicy { subject, problem }: UnreadablePolicy) -> Self {
        Self::PolicyUnreadable { subject, problem }
    }
}

/// Reads a policy from the columns of its row.
///
/// # Errors
///
/// Returns the problem if this version does not know the subject or the rules.
pub(super) fn read(subject: &str, rules: &str) -> Result<KeyPolicy, UnreadablePolicy> {
    let unreadable = |problem: &dyn std::fmt::Display| UnreadablePolicy {
        subject: subject.to_owned(),
        problem: problem.to_string(),
    };
    let known: PolicySubject = subject.parse().map_err(|cause| unreadable(&cause))?;
    let rules: RulesColumn = serde_json::from_str(rules).map_err(|cause| unreadable(&cause))?;
    let mut policy = KeyPolicy::builder(known);
    if rules.require_expiry {
        policy = policy.require_expiry();
    }
    if let Some(life) = rules.longest_life {
        policy = policy.longest_life(Duration::from_secs(life));
    }
    if let Some(time) = rules.switch_off_unused {
        policy = policy.switch_off_unused(Duration::from_secs(time));
    }
    if let Some(most) = rules.most_keys {
        policy = policy.most_keys(most);
    }
    if let Some(scopes) = rules.scopes {
        policy = policy.scopes(scopes);
    }
    if let Some(time) = rules.remind_of_rotation {
        policy = policy.remind_of_rotation(Duration::from_secs(time));
    }
    policy.build().map_err(|cause| unreadable(&cause))
}

/// Writes the rules of a policy.
pub(super) fn write(policy: &KeyPolicy) -> String {
    let seconds = |time: Option<Duration>| time.map(|time| time.as_secs());
    write_json(&RulesColumn {
        require_expiry: policy.requires_expiry(),
        longest_life: seconds(policy.longest_life()),
        switch_off_unused: seconds(policy.switches_off_unused()),
        most_keys: policy.most_keys(),
        scopes: policy.scopes().map(|scopes| scopes.iter().map(str::to_owned).collect()),
        remind_of_rotation: seconds(policy.rotation_reminder()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    #[test]
    fn rules_come_back_as_they_were_written() {
        let all = || KeyPolicy::builder(PolicySubject::All);
        for policy in [
            all().require_expiry(),
            all().longest_life(90 * DAY),
            all().switch_off_unused(DAY),
            all().most_keys(0),
            all().scopes([""; 0]),
            all().scopes(["read", "write"]),
            all().remind_of_rotation(30 * DAY),
            all().longest_life(DAY).switch_off_unused(DAY).most_keys(7).remind_of_rotation(DAY),
        ] {
            let policy = policy.build().unwrap();
            assert_eq!(read("all", &write(&policy)).unwrap(), policy);
        }
    }

    /// Databases keep these names.
    #[test]
    fn rules_are_written_in_one_form() {
        let policy = KeyPolicy::builder(PolicySubject::All)
            .longest_life(DAY)
            .switch_off_unused(DAY)
            .most_keys(3)
            .scopes(["read"])
            .remind_of_rotation(DAY);
        assert_eq!(
            write(&policy.build().unwrap()),
            r#"{"require_expiry":true,"longest_life":86400,"switch_off_unused":86400,"most_keys":3,"scopes":["read"],"remind_of_rotation":86400}"#
        );
    }

    #[test]
    fn rules_that_this_version_does_not_know_are_refused() {
        let told =
            |subject, rules| ManageError::from(read(subject, rules).unwrap_err()).to_string();
        for (rules, cause) in [
            (r#"{"require_expiry":true,"weekdays":["mon"]}"#, "unknown field `weekdays`"),
            (r#"{"most_keys":-1}"#, "invalid value"),
            (r#"{"switch_off_unused":1}"#, "at least 1 day"),
            ("{}", "needs a rule"),
            ("", "EOF"),
        ] {
            let told = told("all", rules);
            assert!(told.contains(cause) && told.contains("update the program"), "{told}");
        }
        let told = told("plan:gold", r#"{"most_keys":1}"#);
        assert!(told.contains("plan:gold") && told.contains("delete the policy"), "{told}");
    }
}
