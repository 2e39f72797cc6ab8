//! Webhooks, as they stand in a file.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event_kind::EventKindName;
use super::events::EventSettings;
use crate::config::duration::LengthOfTime;
use crate::config::read::{Contradiction, Path};
use crate::config::secret::SecretText;
use crate::events::EventKind;
use crate::key::AccountId;

/// The longest name of a sink in a store, in bytes.
const LONGEST_NAME: usize = 100;

/// The longest time of a delivery.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(15);

/// An item of `[[webhooks]]`: an endpoint that gets events, after the Standard Webhooks specification. Needs `[events]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct WebhookSettings {
    /// The name, under which the store keeps what the endpoint has received. Another name is another endpoint, which gets
    /// the events from then on.
    pub name: String,
    /// The address, as `https://hooks.example.com/keys`. It may hold a token of the receiver.
    pub url: SecretText,
    /// The secret of the signature: `whsec_` with 24 to 64 random bytes in base64.
    pub secret: SecretText,
    /// Further secrets. Each message has a signature of each secret, so that a receiver can move from one to another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more_secrets: Vec<SecretText>,
    /// The kinds of events to send, as `key.created`. Without this field, all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::config) kinds: Option<Vec<EventKindName>>,
    /// Sends events of this account only, as to a customer, and without `author` and `reason`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// How long a delivery may take: 15 seconds unless set, and at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<LengthOfTime>,
    /// Certificate authorities in the format PEM, instead of those of the system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// Allows an address that begins with `http`. Anyone on the way reads the events, and can keep them back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub insecure_allow_http: bool,
    /// Allows private, local and reserved addresses: only if no customer chooses the address. A customer could send
    /// requests to servers inside of your network otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub insecure_allow_private_addresses: bool,
}

impl WebhookSettings {
    /// Returns the kinds of events to send; `None` for all.
    pub fn kinds(&self) -> Option<Vec<EventKind>> {
        let kinds = self.kinds.as_ref()?;
        Some(kinds.iter().copied().map(EventKindName::describe).collect())
    }

    /// Finds what contradicts itself in all webhooks of a file.
    pub(in crate::config) fn check_all(
        all: &[Self],
        events: Option<&EventSettings>,
        found: &mut Vec<Contradiction>,
    ) {
        let path = Path::default().field("webhooks");
        if events.is_none() && !all.is_empty() {
            let problem = "the table `events` is missing, which writes and keeps what webhooks send: add it. An \
                empty one is enough";
            let events = Path::default().field("events");
            found.push(Contradiction::new(path.clone(), &problem).beside(events));
        }
        for (index, webhook) in all.iter().enumerate() {
            let item = path.item(index);
            webhook.check(&item, found);
            let earlier = all.iter().take(index);
            if let Some(first) = earlier.clone().position(|other| other.name == webhook.name) {
                let problem = "another webhook has this name: give each a name of its own";
                let other = path.item(first).field("name");
                found.push(Contradiction::new(item.field("name"), &problem).beside(other));
            }
            if webhook.name == EventSettings::LOG_NAME {
                let problem = "this is the name of the log of `events`: write another one";
                found.push(Contradiction::new(item.field("name"), &problem));
            }
        }
    }

    fn check(&self, path: &Path, found: &mut Vec<Contradiction>) {
        let name = &self.name;
        if name.is_empty() || name.len() > LONGEST_NAME || name.contains(char::is_control) {
            let problem = "a name has 1 to 100 bytes and no control characters: write another one";
            found.push(Contradiction::new(path.field("name"), &problem));
        }
        if self.kinds.as_ref().is_some_and(Vec::is_empty) {
            let problem = "no event would be sent: name a kind, or remove this field";
            found.push(Contradiction::new(path.field("kinds"), &problem));
        }
        if let Some(problem) = self.account.as_ref().and_then(|id| AccountId::new(id).err()) {
            found.push(Contradiction::new(path.field("account"), &problem));
        }
        let is_fine = |time: Duration| !time.is_zero() && time <= LONGEST_TIMEOUT;
        if self.timeout.is_some_and(|time| !is_fine(time.duration())) {
            let problem = "write a time over 0 and at most \"15s\"";
            found.push(Contradiction::new(path.field("timeout"), &problem));
        }
    }
}
