//! The filter of a list of keys.

use crate::clock::Timestamp;
use crate::key::{Environment, KeyKind, KeyRecord};

/// The state of a key at an instant.
///
/// ```
/// use tower_api_key::store::KeyState;
///
/// assert_eq!(KeyState::ALL.map(KeyState::name), ["active", "disabled", "revoked", "expired"]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyState {
    /// The key is valid, or will be from its first instant on.
    Active,
    /// The key or its account is disabled.
    Disabled,
    /// The key was revoked. A revocation is final.
    Revoked,
    /// The key has expired.
    Expired,
}

impl KeyState {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Active, Self::Disabled, Self::Revoked, Self::Expired];

    /// Returns the name of the state, in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
        }
    }

    /// Returns the state of a record at an instant. If several apply, the order is revoked, disabled,
    /// expired, as a gate checks them.
    pub fn of(record: &KeyRecord, now: Timestamp) -> Self {
        if record.is_revoked() {
            Self::Revoked
        } else if record.is_disabled() {
            Self::Disabled
        } else if record.expires().is_some_and(|expires| expires <= now) {
            Self::Expired
        } else {
            Self::Active
        }
    }
}

/// Chooses the keys of a list. A field that is `None` matches all keys.
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
}

impl KeyFilter {
    /// Chooses the keys of an account.
    pub fn account(account: impl AsRef<str>) -> Self {
        Self { account: Some(account.as_ref().to_owned()), ..Self::default() }
    }

    /// Returns true if the filter matches a record at an instant.
    pub fn chooses(&self, record: &KeyRecord, now: Timestamp) -> bool {
        let is = |wanted: &Option<String>, name: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| name == Some(wanted))
        };
        is(&self.account, Some(record.account().id().as_str()))
            && is(&self.owner, record.owner())
            && is(&self.kind, record.kind().map(KeyKind::as_str))
            && is(&self.environment, record.environment().map(Environment::as_str))
            && self.state.is_none_or(|state| state == KeyState::of(record, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_a_name_of_its_own() {
        assert_eq!(KeyState::ALL.map(KeyState::name), ["active", "disabled", "revoked", "expired"]);
    }
}
