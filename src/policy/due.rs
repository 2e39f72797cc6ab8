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
        /// The instant since which the key could be used, and was not used, added or changed.
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
    /// The author of the changes that a sweep makes, in the audit trail. They do not count as changes by somebody.
    pub const AUTHOR: &str = "policy";

    /// The time that a sweep leaves to a key that lives too long, or that has no expiry: two weeks. Its owner can rotate
    /// it meanwhile.
    pub const NOTICE: Duration = Duration::from_secs(14 * 24 * 60 * 60);
}

/// Returns when a key or one of its secrets ends at the latest whose longest life ends at `latest`. A life that has ended
/// leaves the owner two weeks to react, but no more than the key has anyway.
pub(super) fn end_of_life(record: &KeyRecord, latest: Timestamp, now: Timestamp) -> Timestamp {
    let notice = now.plus(PolicyAction::NOTICE);
    latest.max(record.expires().map_or(notice, |expires| expires.min(notice)))
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
    // Nobody can use a key before its first instant.
    let unused_since = dates.last_active().max(record.not_before().unwrap_or_default());
    let (mut unused, mut rotation) = (false, false);
    // The end of the shortest life, and of two weeks if there is no life but an expiry is required.
    let (mut latest, mut required): (Option<Timestamp>, _) = (None, None);
    for policy in policies {
        let has_passed = |time: Option<Duration>, since: Timestamp| {
            time.is_some_and(|time| since.plus(time) <= now)
        };
        unused |= has_passed(policy.switches_off_unused(), unused_since);
        rotation |= has_passed(policy.rotation_reminder(), dates.newest_secret);
        let end = policy.longest_life().map(|life| dates.newest_secret.plus(life));
        latest = [latest, end].into_iter().flatten().min();
        if policy.requires_expiry() && record.expires().is_none() {
            // Any expiry will do, and the owner has two weeks to choose one, or the time until the key begins.
            required =
                Some(now.max(record.not_before().unwrap_or_default().plus(PolicyAction::NOTICE)));
        }
    }
    let mut actions = Vec::new();
    if unused {
        actions.push(PolicyAction::SwitchOff { unused_since });
        return actions;
    }
    let at = latest.or(required).map(|latest| end_of_life(record, latest, now));
    let expires = record.expires().unwrap_or(Timestamp::MAX);
    if let Some(at) = at.filter(|at| *at < expires) {
        actions.push(PolicyAction::Expire { at });
    }
    if rotation {
        actions.push(PolicyAction::RemindOfRotation { made: dates.newest_secret });
    }
    actions
}

#[cfg(test)]
mod tests {
    use super::super::{KeyPolicyBuilder, Policies, PolicySubject};
    use super::*;
    use crate::key::KeyRecordBuilder;

    const fn day(day: u64) -> Timestamp {
        Timestamp::from_unix_seconds(day * 86_400)
    }

    const fn days(days: u64) -> Duration {
        Duration::from_secs(days * 86_400)
    }

    fn key() -> KeyRecordBuilder {
        KeyRecord::bare("key_1", "acme").edit()
    }

    fn policy(rules: impl FnOnce(KeyPolicyBuilder) -> KeyPolicyBuilder) -> KeyPolicy {
        rules(KeyPolicy::builder(PolicySubject::All)).build().unwrap()
    }

    const fn off(since: u64) -> PolicyAction {
        PolicyAction::SwitchOff { unused_since: day(since) }
    }

    const fn expire(at: u64) -> PolicyAction {
        PolicyAction::Expire { at: day(at) }
    }

    const fn remind(made: u64) -> PolicyAction {
        PolicyAction::RemindOfRotation { made: day(made) }
    }

    /// The key was added on day 0, and it is day 100.
    #[test]
    fn what_a_sweep_does_with_a_key() {
        let added = || KeyDates::new(day(0));
        let unused = || policy(|it| it.switch_off_unused(days(60)));
        let expiry = || policy(KeyPolicyBuilder::require_expiry);
        let life = |most| policy(|it| it.longest_life(days(most)));
        let reminds = || policy(|it| it.remind_of_rotation(days(90)));
        let all = || {
            policy(|it| {
                it.switch_off_unused(days(60)).longest_life(days(90)).remind_of_rotation(days(90))
            })
        };
        for (number, (policy, key, dates, expected)) in [
            (unused(), key(), added(), vec![off(0)]),
            (unused(), key(), added().last_used(day(40)), vec![off(40)]),
            (unused(), key(), added().last_used(day(41)), vec![]),
            (unused(), key(), added().last_changed(day(41)), vec![]),
            (unused(), key(), added().newest_secret(day(41)), vec![]),
            (unused(), key(), added().last_used(day(2)).last_changed(day(1)), vec![off(2)]),
            // A clock that was ahead.
            (unused(), key(), added().last_used(day(500)), vec![]),
            // Nobody could use the key before its first instant.
            (unused(), key().not_before(day(41)), added(), vec![]),
            (unused(), key().not_before(day(500)), added(), vec![]),
            (unused(), key().not_before(day(40)), added(), vec![off(40)]),
            (unused(), key().disabled(true), added(), vec![]),
            (unused(), key().revoked(true), added(), vec![]),
            (unused(), key().expires(day(100)), added(), vec![]),
            (unused(), key().expires(day(101)), added(), vec![off(0)]),
            (expiry(), key(), added(), vec![expire(114)]),
            (expiry(), key().expires(day(9_999)), added(), vec![]),
            (life(90), key(), added(), vec![expire(114)]),
            (life(90), key().expires(day(200)), added(), vec![expire(114)]),
            (life(90), key().expires(day(114)), added(), vec![]),
            (life(90), key().expires(day(101)), added(), vec![]),
            (life(200), key(), added(), vec![expire(200)]),
            (life(200), key().expires(day(201)), added(), vec![expire(200)]),
            (life(200), key().expires(day(200)), added(), vec![]),
            (life(90), key(), added().newest_secret(day(99)), vec![expire(189)]),
            (life(90), key().disabled(true), added(), vec![]),
            (reminds(), key(), added(), vec![remind(0)]),
            (reminds(), key(), added().newest_secret(day(10)), vec![remind(10)]),
            (reminds(), key(), added().newest_secret(day(11)), vec![]),
            (reminds(), key(), added().last_used(day(99)), vec![remind(0)]),
            (all(), key(), added(), vec![off(0)]),
            (all(), key(), added().last_used(day(99)), vec![expire(114), remind(0)]),
        ]
        .into_iter()
        .enumerate()
        {
            let record = key.build().unwrap();
            let due = Policies::new([policy]).due(&record, &dates, day(100));
            assert_eq!(due, expected, "case {number}");
        }
    }

    #[test]
    fn a_sweep_does_nothing_twice() {
        let policies = Policies::new([policy(|it| it.longest_life(days(90)))]);
        let mut record = key().build().unwrap();
        let dates = KeyDates::new(day(0));
        assert_eq!(policies.due(&record, &dates, day(100)), [expire(114)]);
        let change = |record: &KeyRecord, at| record.edit().expires(at).build().unwrap();
        let swept = change(&record, day(114));
        assert_eq!(
            policies.check_change(&record, &swept, day(0), day(100)),
            Ok(()),
            "it is allowed"
        );
        record = swept;
        for today in [100, 101, 113, 114, 115] {
            assert!(policies.due(&record, &dates, day(today)).is_empty(), "day {today}");
        }
        // Beyond the last instant no expiry is left to set.
        let late = Timestamp::from_unix_nanoseconds(u64::MAX - 1);
        assert!(policies.due(&key().build().unwrap(), &KeyDates::new(late), late).is_empty());
    }

    /// The newest secret was made on day 0, and the key is rotated on day 80.
    #[test]
    fn earlier_secrets_end_with_their_longest_life() {
        for (number, (life, key, until, expected)) in [
            (90, key().expires(day(90)), 81, 81),
            (90, key().expires(day(90)), 79, 79),
            (90, key().expires(day(90)), 200_000, 90),
            (90, key().expires(day(85)), 200_000, 90),
            // A key from before the policy keeps its secrets for two weeks, and no longer than it had them.
            (30, key(), 200_000, 94),
            (30, key(), 82, 82),
            (30, key().expires(day(85)), 200_000, 85),
            (90, key(), 200_000, 94),
            (365, key(), 200_000, 365),
        ]
        .into_iter()
        .enumerate()
        {
            let policies = Policies::new([policy(|it| it.longest_life(days(life)))]);
            let record = key.build().unwrap();
            let end = policies.end_of_earlier(&record, day(0), day(until), day(80));
            assert_eq!(end, day(expected), "case {number}");
        }
        let policies = Policies::new([policy(KeyPolicyBuilder::require_expiry)]);
        let record = key().build().unwrap();
        assert_eq!(policies.end_of_earlier(&record, day(0), day(500), day(80)), day(500));
        assert_eq!(Policies::default().end_of_earlier(&record, day(0), day(5), day(80)), day(5));
    }

    #[test]
    fn a_required_expiry_does_not_shorten_a_longest_life() {
        let required = KeyPolicy::builder(PolicySubject::All).require_expiry().build().unwrap();
        let lasting = "kind:lasting".parse().unwrap();
        let lasting = KeyPolicy::builder(lasting).longest_life(days(365)).build().unwrap();
        let policies = Policies::new([required, lasting]);
        let end = |key: KeyRecordBuilder| {
            policies.due(&key.build().unwrap(), &KeyDates::new(day(0)), day(1))
        };
        let at = |at| vec![PolicyAction::Expire { at: day(at) }];
        assert_eq!(end(key().kind("lasting")), at(365));
        assert_eq!(end(key()), at(15));
        assert_eq!(end(key().not_before(day(40))), at(54), "two weeks from its first instant");
    }
}
