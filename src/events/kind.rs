//! The kinds of events.

use std::fmt;
use std::str::FromStr;

use crate::error::UnknownName;

/// The kind of an event.
///
/// ```
/// use tower_api_key::events::EventKind;
///
/// assert_eq!(EventKind::NearLimit.name(), "key.near_limit");
/// assert_eq!("key.near_limit".parse(), Ok(EventKind::NearLimit));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// A key was created. Imported keys have no such event.
    Created,
    /// A key was used for the first time since its creation.
    FirstUse,
    /// A key got a new secret.
    Rotated,
    /// A key expires soon: in at most 30 days, 7 days or 1 day.
    Expiring,
    /// A key has expired.
    Expired,
    /// A key was revoked.
    Revoked,
    /// A key was deleted, or its account.
    Deleted,
    /// The secret of a key leaked: a key was revoked or rotated for this [reason](EventKind::LEAKED).
    Leaked,
    /// A key came over plain HTTP, where others could read it.
    SeenInClear,
    /// A valid key was used from a network that is not on its allowlist.
    UsedElsewhere,
    /// A quota of a key or its account is used to 80 % or 100 %.
    NearLimit,
    /// A key was not used for a number of days.
    Unused,
    /// A key was switched off, by a person or because a policy switches unused keys off.
    SwitchedOff,
    /// A policy reminds the owner of a key to rotate it.
    RotationDue,
    /// A newer version of the program wrote this event, and this version has no name for it.
    Unknown,
}

impl EventKind {
    /// The reason of a revocation or rotation after a leak: [`because`](crate::store::CommandOptions::because) of a
    /// change. The reason may go on after this word, such as `leaked: seen in a public repository`.
    pub const LEAKED: &'static str = "leaked";

    /// All kinds that this version writes.
    pub const ALL: [Self; 14] = [
        Self::Created,
        Self::FirstUse,
        Self::Rotated,
        Self::Expiring,
        Self::Expired,
        Self::Revoked,
        Self::Deleted,
        Self::Leaked,
        Self::SeenInClear,
        Self::UsedElsewhere,
        Self::NearLimit,
        Self::Unused,
        Self::SwitchedOff,
        Self::RotationDue,
    ];

    /// Returns the name of the kind: the `type` of a webhook.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "key.created",
            Self::FirstUse => "key.first_use",
            Self::Rotated => "key.rotated",
            Self::Expiring => "key.expiring",
            Self::Expired => "key.expired",
            Self::Revoked => "key.revoked",
            Self::Deleted => "key.deleted",
            Self::Leaked => "key.leaked",
            Self::SeenInClear => "key.seen_in_clear",
            Self::UsedElsewhere => "key.used_elsewhere",
            Self::NearLimit => "key.near_limit",
            Self::Unused => "key.unused",
            Self::SwitchedOff => "key.switched_off",
            Self::RotationDue => "key.rotation_due",
            Self::Unknown => "unknown",
        }
    }

    /// Returns true if the reason of a change says that the secret leaked: its first word is `leaked`, in upper or lower
    /// case, because people write reasons. A question is no such reason.
    ///
    /// ```
    /// use tower_api_key::events::EventKind;
    ///
    /// assert!(EventKind::is_leak("leaked: found in a log"));
    /// assert!(EventKind::is_leak("Leaked in a log, ticket 4711"));
    /// assert!(!EventKind::is_leak("not leaked, only old"));
    /// ```
    pub fn is_leak(reason: &str) -> bool {
        let Some((word, rest)) = reason.split_at_checked(Self::LEAKED.len()) else { return false };
        let goes_on = |next: char| next.is_alphanumeric() || matches!(next, '-' | '_' | '?');
        word.eq_ignore_ascii_case(Self::LEAKED) && !rest.starts_with(goes_on)
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for EventKind {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let known = Self::ALL.into_iter().find(|kind| kind.name() == name);
        known.ok_or(UnknownName::new("kind of event", "a kind such as `key.created`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Databases and receivers keep these names.
    #[test]
    fn a_kind_is_read_back_by_its_name() {
        for kind in EventKind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        assert!("key.lost".parse::<EventKind>().is_err());
    }

    #[test]
    fn a_leak_is_read_from_the_first_word_of_the_reason() {
        for (reason, leak) in [
            ("leaked", true),
            ("leaked: x", true),
            ("leaked in a log", true),
            ("Leaked, see the ticket", true),
            ("LEAKED!", true),
            ("leaked?", false),
            ("leakedness", false),
            ("leaked-keys job", false),
            ("leake", false),
            ("leakéd", false),
            ("", false),
            ("not leaked", false),
            (" leaked", false),
        ] {
            assert_eq!(EventKind::is_leak(reason), leak, "{reason}");
        }
    }
}
