//! Policies in requests and answers.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tower_api_key::policy::{KeyPolicy, PolicyAction};
use tower_api_key::store::Version;

use super::moment::WholeNumber;
use super::schema;
use crate::management::{KeyReview, ManagementError, PolicyDraft};

const DAY: u32 = 86_400;

/// The longest time of a rule in seconds: 36,525 days, about a hundred years.
const LONGEST: u32 = 36_525 * DAY;

/// A policy to save.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PolicyBody {
    require_expiry: bool,
    longest_life_seconds: Option<WholeNumber>,
    switch_off_unused_seconds: Option<WholeNumber>,
    most_keys: Option<WholeNumber>,
    scopes: Option<Vec<String>>,
    remind_of_rotation_seconds: Option<WholeNumber>,
}

impl PolicyBody {
    pub(super) fn draft(self) -> Result<PolicyDraft, ManagementError> {
        Ok(PolicyDraft {
            require_expiry: self.require_expiry,
            longest_life: time("longest_life_seconds", self.longest_life_seconds, 1)?,
            switch_off_unused: time(
                "switch_off_unused_seconds",
                self.switch_off_unused_seconds,
                DAY,
            )?,
            most_keys: self.most_keys.map(|WholeNumber(most)| most),
            scopes: self.scopes,
            remind_of_rotation: time(
                "remind_of_rotation_seconds",
                self.remind_of_rotation_seconds,
                DAY,
            )?,
        })
    }

    pub(super) fn schema() -> Value {
        let time = |least: u32, example: u32, description: &str| {
            json!({
                "type": ["integer", "null"], "minimum": least, "maximum": LONGEST,
                "example": example, "description": description,
            })
        };
        let mut scopes = schema::or_null(schema::scopes());
        if let Some(scopes) = scopes.as_object_mut() {
            let description =
                "The scopes that a key may have; null allows all. Each key must then list its own.";
            scopes.insert("description".to_owned(), description.into());
        }
        let mut body = schema::body(
            &[],
            json!({
                "require_expiry": {
                    "type": "boolean",
                    "description": "Whether each key must have an expiry. A longest life requires one, too.",
                },
                "longest_life_seconds": time(1, 90 * DAY, "The longest time from the making of a key's newest secret to its expiry."),
                "switch_off_unused_seconds": time(DAY, 30 * DAY, "The time without a use after which a sweep switches a key off."),
                "most_keys": {
                    "type": ["integer", "null"], "minimum": 0, "maximum": u32::MAX, "example": 20,
                    "description": "The most keys of one account that are neither revoked nor expired.",
                },
                "scopes": scopes,
                "remind_of_rotation_seconds": time(DAY, 60 * DAY, "The age of a key's newest secret at which a sweep reminds its owner to rotate it."),
            }),
        );
        if let Some(body) = body.as_object_mut() {
            let description = "The rules of a policy, at least one. A rule that is absent or null does not apply.";
            body.insert("description".to_owned(), description.into());
            let example = json!({ "longest_life_seconds": 90 * DAY, "most_keys": 20 });
            body.insert("example".to_owned(), example);
        }
        body
    }
}

/// A policy, as answers have it.
#[derive(Serialize)]
pub(super) struct PolicyView {
    subject: String,
    require_expiry: bool,
    longest_life_seconds: Option<u64>,
    switch_off_unused_seconds: Option<u64>,
    most_keys: Option<u32>,
    scopes: Option<Vec<String>>,
    remind_of_rotation_seconds: Option<u64>,
    version: String,
}

impl PolicyView {
    pub(super) fn of(policy: &KeyPolicy) -> Self {
        let seconds = |time: Option<Duration>| time.map(|time| time.as_secs());
        Self {
            subject: policy.subject().to_string(),
            require_expiry: policy.requires_expiry(),
            longest_life_seconds: seconds(policy.longest_life()),
            switch_off_unused_seconds: seconds(policy.switches_off_unused()),
            most_keys: policy.most_keys(),
            scopes: policy.scopes().map(|scopes| scopes.iter().map(str::to_owned).collect()),
            remind_of_rotation_seconds: seconds(policy.rotation_reminder()),
            version: Version::of_policy(policy).to_string(),
        }
    }

    pub(super) fn schema() -> Value {
        let number = json!({ "type": ["integer", "null"] });
        schema::whole_view(json!({
            "subject": { "type": "string", "description": "`all`, `account:ID` or `kind:NAME`." },
            "require_expiry": { "type": "boolean" },
            "longest_life_seconds": number,
            "switch_off_unused_seconds": number,
            "most_keys": number,
            "scopes": { "type": ["array", "null"], "items": { "type": "string" } },
            "remind_of_rotation_seconds": number,
            "version": { "type": "string", "description": "The ETag, without quotes." },
        }))
    }
}

/// What policies mean for a key, as answers have it.
#[derive(Serialize)]
pub(super) struct KeyReviewView {
    key: String,
    account: String,
    policies: Vec<PolicyView>,
    violations: Vec<Value>,
    due: Vec<Value>,
}

impl KeyReviewView {
    pub(super) fn of(review: &KeyReview) -> Self {
        let violations = review.violations.iter().map(|violation| {
            json!({
                "field": violation.field(), "policy": violation.subject().to_string(),
                "detail": violation.to_string(),
            })
        });
        Self {
            key: review.key.clone(),
            account: review.account.clone(),
            policies: review.policies.iter().map(PolicyView::of).collect(),
            violations: violations.collect(),
            due: review.due.iter().filter_map(due).collect(),
        }
    }

    pub(super) fn schema() -> Value {
        let string = json!({ "type": "string" });
        let some = json!({ "type": ["string", "null"] });
        let violation =
            schema::whole_view(json!({ "field": some, "policy": string, "detail": string }));
        let due = schema::whole_view(json!({
            "action": { "type": "string", "enum": ["switch_off", "expire", "remind_of_rotation"] },
            "unused_since": some,
            "expires": some,
            "secret_made": some,
        }));
        schema::whole_view(json!({
            "key": string,
            "account": string,
            "policies": schema::list("Policy"),
            "violations": {
                "type": "array", "items": violation,
                "description": "The rules that the key breaks as it is, without the number of keys.",
            },
            "due": {
                "type": "array", "items": due, "description": "What a sweep would do with the key now.",
            },
        }))
    }
}

/// Describes what a sweep does with a key; `None` for an action that this release does not know.
fn due(action: &PolicyAction) -> Option<Value> {
    let (name, field, at) = match action {
        PolicyAction::SwitchOff { unused_since } => ("switch_off", "unused_since", unused_since),
        PolicyAction::Expire { at } => ("expire", "expires", at),
        PolicyAction::RemindOfRotation { made } => ("remind_of_rotation", "secret_made", made),
        _ => return None,
    };
    let mut due =
        json!({ "action": name, "unused_since": null, "expires": null, "secret_made": null });
    if let Some(due) = due.as_object_mut() {
        due.insert(field.to_owned(), at.to_string().into());
    }
    Some(due)
}

fn time(
    field: &'static str,
    seconds: Option<WholeNumber>,
    least: u32,
) -> Result<Option<Duration>, ManagementError> {
    match seconds {
        None => Ok(None),
        Some(WholeNumber(seconds)) if (least..=LONGEST).contains(&seconds) => {
            Ok(Some(Duration::from_secs(seconds.into())))
        }
        Some(_) => {
            Err(ManagementError::invalid(field, format!("must be from {least} to {LONGEST}")))
        }
    }
}
