//! The filter of a list of keys.

use super::entry::SecretEntry;
use super::order::KeyOrder;
use super::state::KeyState;
use crate::clock::Timestamp;
use crate::key::{Environment, KeyKind, KeyRecord, SecretTail};

/// Chooses the keys of a list, and their order. A field that is `None` matches all keys.
///
/// ```
/// use tower_api_key::store::{KeyFilter, KeyState};
///
/// let filter = KeyFilter { state: Some(KeyState::Active), ..KeyFilter::account("acme") };
/// assert_eq!(filter.account.as_deref(), Some("acme"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyFilter {
    /// Keys of this account.
    pub account: Option<String>,
    /// Keys of this owner.
    pub owner: Option<String>,
    /// Keys of this kind.
    pub kind: Option<String>,
    /// Keys of this environment.
    pub environment: Option<String>,
    /// Keys that are in this state now.
    pub state: Option<KeyState>,
    /// Keys whose metadata has this name and value.
    pub tag: Option<(String, String)>,
    /// Keys whose name begins with this text. Upper and lower case differ.
    pub name_prefix: Option<String>,
    /// Keys that expire before this instant, or have expired.
    pub expires_before: Option<Timestamp>,
    /// Keys of which a secret ends with these characters, if the store [keeps tails](crate::key::Issuer::keep_tails).
    pub tail: Option<SecretTail>,
    /// The order of the list.
    pub order: KeyOrder,
}

impl KeyFilter {
    /// Chooses the keys of an account.
    pub fn account(account: impl AsRef<str>) -> Self {
        Self { account: Some(account.as_ref().to_owned()), ..Self::default() }
    }

    /// Returns true if a record has the tag, or no tag is asked for.
    pub fn has_tag(&self, record: &KeyRecord) -> bool {
        self.tag.as_ref().is_none_or(|(name, value)| {
            record.all_metadata().any(|tag| tag == (name.as_str(), value.as_str()))
        })
    }

    /// Returns true if one of a key's secrets has the tail, or no tail is asked for.
    pub fn has_tail(&self, secrets: &[SecretEntry]) -> bool {
        self.tail.is_none() || secrets.iter().any(|secret| secret.tail == self.tail)
    }

    /// Returns true if the filter matches a record at an instant. Whether a secret matches, [`has_tail`](Self::has_tail)
    /// says.
    pub fn chooses(&self, record: &KeyRecord, now: Timestamp) -> bool {
        let is = |wanted: &Option<String>, name: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| name == Some(wanted))
        };
        let ends = |before| record.expires().is_some_and(|expires| expires < before);
        is(&self.account, Some(record.account().id().as_str()))
            && is(&self.owner, record.owner())
            && is(&self.kind, record.kind().map(KeyKind::as_str))
            && is(&self.environment, record.environment().map(Environment::as_str))
            && self.state.is_none_or(|state| state == KeyState::of(record, now))
            && self.has_tag(record)
            && self.name_prefix.as_ref().is_none_or(|prefix| record.name().starts_with(prefix))
            && self.expires_before.is_none_or(ends)
            && (self.order != KeyOrder::Expiry || record.expires().is_some())
    }
}
