//! What a sweep does with a key.

use std::time::Duration;

use super::key_dates::KeyDates;
use super::policy::KeyPolicy;
use crate::clock::Timestamp;
use crate::key::KeyRecord;

/// What a sweep does with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PolicyAction {
    /// Switches the key off, because it was not used since an instant.
    SwitchOff {
        /// The instant since which the key was not used, added or changed.
        unused_since: Timestamp,
    },
    /// Gives the key an expiry, or an earlier one. It is never earlier than two weeks from now, unless the key has an
    /// earlier one.
    Expire {
        /// The expiry.
        at: Timestamp,
    },
    /// Reminds the owner to rotate the key.
    RemindOfRotation {
        /// When the newest secret of the key was made.
        made: Timestamp,
    },
}

impl PolicyAction {
    /// The time that a sweep leaves to a key that lives too long, or that has no expiry: two weeks. Its owner can rotate
    /// it meanwhile.
    pub const NOTICE: Duration = Duration::from_secs(14 * 24 * 60 * 60);
}

pub(super) fn actions<'a>(
    policies: impl Iterator<Item = &'a KeyPolicy>,
    record: &KeyRecord,
    dates: &KeyDates,
    now: Timestamp,
) -> Vec<PolicyAction> {
    let expired = record.expires().is_some_and(|expires| expires <= now);
    if record.is_revoked() || record.is_disabled_itself() || expired {
        return Vec::new();
    }
    let (mut unused, mut rotation) = (false, false);
    let mut latest: Option<Timestamp> = None;
    for policy in policies {
        let has_passed = |time: Option<Duration>, since: Timestamp| {
            time.is_some_and(|time| since.plus(time) <= now)
        };
        unused |= has_passed(policy.switches_off_unused(), dates.last_active());
        rotation |= has_passed(policy.rotation_reminder(), dates.newest_secret);
        let end = match policy.longest_life() {
            Some(life) => Some(dates.newest_secret.plus(life)),
            // Any expiry will do, and the owner has two weeks to choose one.
            None if policy.requires_expiry() && record.expires().is_none() => Some(now),
            None => None,
        };
        latest = [latest, end].into_iter().flatten().min();
    }
    let mut actions = Vec::new();
    if unused {
        actions.push(PolicyAction::SwitchOff { unused_since: dates.last_active() });
        return actions;
    }
    let at = latest.map(|latest| latest.max(now.plus(PolicyAction::NOTICE)));
    if let Some(at) = at.filter(|at| record.expires().is_none_or(|expires| *at < expires)) {
        actions.push(PolicyAction::Expire { at });
    }
    if rotation {
        actions.push(PolicyAction::RemindOfRotation { made: dates.newest_secret });
    }
    actions
}
