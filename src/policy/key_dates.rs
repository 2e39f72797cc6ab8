//! What a sweep must know of a key's past.

use crate::clock::Timestamp;

/// The instants in the life of a key that rules of time ask for.
///
/// ```
/// use tower_api_key::clock::Timestamp;
/// use tower_api_key::policy::KeyDates;
///
/// let created = Timestamp::from_unix_seconds(1_000);
/// let dates = KeyDates::new(created).last_used(Timestamp::from_unix_seconds(5_000));
/// assert_eq!(dates.last_active().unix_seconds(), 5_000);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyDates {
    pub(super) newest_secret: Timestamp,
    active: Timestamp,
}

impl KeyDates {
    /// Describes a key that was added at this instant, and nothing since.
    pub const fn new(created: Timestamp) -> Self {
        Self { newest_secret: created, active: created }
    }

    /// Sets when the newest secret of the key was made.
    #[must_use]
    pub fn newest_secret(self, made: Timestamp) -> Self {
        Self { newest_secret: made, active: self.active.max(made) }
    }

    /// Sets when one of the key's secrets was last used.
    #[must_use]
    pub fn last_used(self, used: Timestamp) -> Self {
        Self { active: self.active.max(used), ..self }
    }

    /// Sets when somebody last changed the key. So a key that was switched on again is not switched off at once.
    #[must_use]
    pub fn last_changed(self, changed: Timestamp) -> Self {
        Self { active: self.active.max(changed), ..self }
    }

    /// Returns the latest of these instants: the key counts as unused since then.
    pub const fn last_active(&self) -> Timestamp {
        self.active
    }
}
