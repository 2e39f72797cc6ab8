//! What a change changed, as text for people.

use std::time::Duration;

use crate::clock::in_words;
use crate::key::{Account, KeyRecord};
use crate::policy::KeyPolicy;
use crate::quota::Quotas;

/// The rules of policies that are times.
const TIMES: [&str; 3] = ["longest_life", "switch_off_unused", "remind_of_rotation"];

/// A field of a key, an account or a policy that a change changed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// The name of the field, such as `scopes`.
    pub field: String,
    /// The value before the change; `None` if there was none.
    pub before: Option<String>,
    /// The value after the change; `None` if there is none.
    pub after: Option<String>,
}

impl Difference {
    /// Describes a field with another value.
    pub fn new(field: impl Into<String>, before: Option<String>, after: Option<String>) -> Self {
        Self { field: field.into(), before, after }
    }

    /// Lists the fields in which two states of a key differ. Without a state before, it lists all fields that are set.
    ///
    /// ```
    /// use tower_api_key::key::{Account, KeyRecord};
    /// use tower_api_key::store::Difference;
    ///
    /// let acme = Account::builder("acme").build()?;
    /// let before = KeyRecord::builder("key_1", acme).scopes(["read"]).build()?;
    /// let after = before.edit().scopes(["read", "write"]).build()?;
    /// let (read, both) = (Some("read".to_owned()), Some("read write".to_owned()));
    /// assert_eq!(Difference::of_keys(Some(&before), Some(&after)), [Difference::new("scopes", read, both)]);
    /// # Ok::<(), tower_api_key::key::InvalidRecord>(())
    /// ```
    pub fn of_keys(before: Option<&KeyRecord>, after: Option<&KeyRecord>) -> Vec<Self> {
        between(before.map(key_fields), after.map(key_fields))
    }

    /// Lists the fields in which two states of an account differ, as [`of_keys`](Self::of_keys) does.
    pub fn of_accounts(before: Option<&Account>, after: Option<&Account>) -> Vec<Self> {
        between(before.map(account_fields), after.map(account_fields))
    }

    /// Describes that earlier secrets of a key were ended, by how many of them were valid. Empty for none.
    pub fn of_ended_secrets(valid: usize) -> Vec<Self> {
        let before = (valid > 0).then(|| format!("{valid} valid"));
        before.map(|before| Self::new("earlier secrets", Some(before), None)).into_iter().collect()
    }

    /// Lists the rules in which two states of a policy differ, as [`of_keys`](Self::of_keys) does. The trail has no column
    /// for the subject, so the list begins with it.
    pub fn of_policies(before: Option<&KeyPolicy>, after: Option<&KeyPolicy>) -> Vec<Self> {
        let subject = before.or(after).map(|policy| policy.subject().to_string());
        let subject = subject
            .map(|text| Self::new("policy", before.and(Some(text.clone())), after.and(Some(text))));
        let changed = between(before.map(policy_fields), after.map(policy_fields)).into_iter();
        subject.into_iter().chain(changed.filter(|field| field.field != "policy")).collect()
    }

    /// Returns the difference for people: `7776000 s` of a rule of time becomes `90 days`. The trail and its formats for
    /// machines keep the seconds.
    ///
    /// ```
    /// use tower_api_key::store::Difference;
    ///
    /// let raised = Difference::new("longest_life", Some("86400 s".into()), Some("7776000 s".into()));
    /// let drawn = raised.in_words();
    /// assert_eq!((drawn.before.as_deref(), drawn.after.as_deref()), (Some("1 day"), Some("90 days")));
    /// ```
    #[must_use]
    pub fn in_words(&self) -> Self {
        let Self { field, before, after } = self.clone();
        if !TIMES.contains(&&*field) {
            return Self { field, before, after };
        }
        Self { field, before: before.map(time_in_words), after: after.map(time_in_words) }
    }
}

/// Writes seconds, as the trail has them, for people. Any other text stays.
fn time_in_words(text: String) -> String {
    let seconds = text.strip_suffix(" s").and_then(|seconds| seconds.parse().ok());
    seconds.map_or(text, |seconds| in_words(Duration::from_secs(seconds)))
}

type FieldTexts = Vec<(&'static str, String)>;

fn between(before: Option<FieldTexts>, after: Option<FieldTexts>) -> Vec<Difference> {
    let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
    let value = |fields: &FieldTexts, name| {
        let found = fields.iter().find(|(field, _)| *field == name);
        found.map(|(_, text)| text.clone())
    };
    let mut names: Vec<&'static str> = before.iter().map(|(name, _)| *name).collect();
    for (name, _) in &after {
        if !names.contains(name) {
            names.push(name);
        }
    }
    let difference = |name| Difference::new(name, value(&before, name), value(&after, name));
    names.into_iter().map(difference).filter(|field| field.before != field.after).collect()
}

/// Returns every setting of a key that is set, by name.
pub(super) fn key_fields(record: &KeyRecord) -> FieldTexts {
    let mut fields = FieldTexts::new();
    let mut set = |name, text: Option<String>| fields.extend(text.map(|text| (name, text)));
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let yes = |set: bool| set.then(|| "true".to_owned());
    set("account", Some(record.account().id().to_string()));
    set("owner", record.owner().map(str::to_owned));
    set("kind", record.kind().map(ToString::to_string));
    set("environment", record.environment().map(ToString::to_string));
    set("audience", record.audience().map(ToString::to_string));
    set("name", text(record.name()));
    set("description", text(record.description()));
    set("scopes", record.own_scopes().map(ToString::to_string));
    set("networks", record.networks().map(|networks| joined(networks.iter())));
    set("quotas", record.own_quotas().map(quotas));
    set("metadata", text(&joined(record.all_metadata().map(|(name, value)| tag(name, value)))));
    set("not_before", record.not_before().map(|at| at.to_string()));
    set("expires", record.expires().map(|at| at.to_string()));
    set("disabled", yes(record.is_disabled_itself()));
    set("revoked", yes(record.is_revoked()));
    set("form", record.form().map(ToString::to_string));
    fields
}

/// Returns every setting of an account that is set, by name.
pub(super) fn account_fields(account: &Account) -> FieldTexts {
    let scopes = account.scopes();
    let all = [
        ("scopes", (!scopes.is_empty()).then(|| scopes.to_string())),
        ("quotas", account.quotas().map(quotas)),
        ("plan", account.plan().map(ToString::to_string)),
        ("disabled", account.is_disabled().then(|| "true".to_owned())),
    ];
    all.into_iter().filter_map(|(name, text)| text.map(|text| (name, text))).collect()
}

/// Returns every rule of a policy that is set, by name.
pub(super) fn policy_fields(policy: &KeyPolicy) -> FieldTexts {
    let seconds = |time: Option<Duration>| time.map(|time| format!("{} s", time.as_secs()));
    let all = [
        ("policy", Some(policy.subject().to_string())),
        ("require_expiry", policy.requires_expiry().then(|| "true".to_owned())),
        ("longest_life", seconds(policy.longest_life())),
        ("switch_off_unused", seconds(policy.switches_off_unused())),
        ("most_keys", policy.most_keys().map(|most| most.to_string())),
        ("scopes", policy.scopes().map(ToString::to_string)),
        ("remind_of_rotation", seconds(policy.rotation_reminder())),
    ];
    all.into_iter().filter_map(|(name, text)| text.map(|text| (name, text))).collect()
}

/// Writes a name of metadata and its value. No two maps have the same text, so a name that is not plain is quoted, too.
fn tag(name: &str, value: &str) -> String {
    let plain = |character: char| character.is_alphanumeric() || "-_.:/".contains(character);
    if name.chars().all(plain) {
        format!("{name}={value:?}")
    } else {
        format!("{name:?}={value:?}")
    }
}

fn joined(parts: impl Iterator<Item = impl ToString>) -> String {
    parts.map(|part| part.to_string()).collect::<Vec<_>>().join(" ")
}

/// Writes quotas as the command line reads them.
fn quotas(quotas: &Quotas) -> String {
    joined(quotas.as_slice().iter())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rules_of_time_are_drawn_in_words() {
        let drawn = |field: &str, text: &str| {
            Difference::new(field, None, Some(text.to_owned())).in_words().after.unwrap()
        };
        for (field, text, expected) in [
            ("longest_life", "7776000 s", "90 days"),
            ("switch_off_unused", "90000 s", "25 hours"),
            ("remind_of_rotation", "86400 s", "1 day"),
            ("longest_life", "soon", "soon"),
            ("longest_life", "-1 s", "-1 s"),
            ("name", "7776000 s", "7776000 s"),
        ] {
            assert_eq!(drawn(field, text), expected, "{field}");
        }
    }

    #[test]
    fn no_two_maps_of_metadata_have_one_text() {
        let acme = Account::builder("acme").build().unwrap();
        let text = |tags: &[(&str, &str)]| {
            let key = KeyRecord::builder("key_1", acme.clone());
            let key = tags.iter().fold(key, |key, (name, value)| key.metadata(*name, *value));
            let fields = key_fields(&key.build().unwrap());
            fields.into_iter().find(|(name, _)| *name == "metadata").unwrap().1
        };
        assert_eq!(text(&[("team", "a"), ("tier", "b c")]), r#"team="a" tier="b c""#);
        assert_eq!(text(&[(r#"team="a" tier"#, "b")]), r#""team=\"a\" tier"="b""#);
        assert_ne!(text(&[("a", "b"), ("c", "d")]), text(&[(r#"a="b" c"#, "d")]));
    }
}
