//! The state of a key.

use crate::clock::Timestamp;
use crate::key::KeyRecord;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_a_name_of_its_own() {
        assert_eq!(KeyState::ALL.map(KeyState::name), ["active", "disabled", "revoked", "expired"]);
    }
}
